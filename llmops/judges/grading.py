"""Single answers judged by a model: against a rubric, or against a reference."""

from collections.abc import Iterator, Sequence

from llmops.judges.cases import lacks, single
from llmops.judges.judge import Bench, Case, Judge, Subject, judgement
from llmops.judges.reading import read
from llmops.judges.specs import Asked, ReferenceSpec
from llmops.judges.weighing import weighted
from llmops.records import UNASKED, Judgement, MissingKind, Response


async def graded(judge: Judge, bench: Bench) -> list[Judgement]:
    """Return a Judgement of every answer by every criterion."""
    cases = [single(judge, subject) for subject in bench.subjects]
    gaps = [gap(judge, case) for case in cases]
    asked = [case for case, found in zip(cases, gaps, strict=True) if found is None]
    replies = iter(await bench.ask(judge, asked))
    found: list[Judgement] = []
    for case, why in zip(cases, gaps, strict=True):
        found += _opinions(judge, case.subject, next(replies)) if why is None else _none(judge, case, why)
    return found


def gap(judge: Judge, case: Case) -> tuple[MissingKind, str] | None:
    """Return why there is nothing to judge, None where there is something."""
    if found := unanswered(case.subject):
        return found
    if isinstance(judge.spec, ReferenceSpec) and case.subject.example.target is None:
        return "no_target", "the example has no reference"
    why = lacks(judge, case)
    return None if why is None else ("no_target", why)


def unanswered(subject: Subject) -> tuple[MissingKind, str] | None:
    """Return why there is no answer, None where there is one."""
    fault = subject.response.error
    if fault is not None:
        return "unasked" if fault.kind in UNASKED else "error", f"{fault.kind}: {fault.message}"
    return ("error", "there is no answer") if subject.response.answer is None else None


def unheard(said: Response) -> tuple[MissingKind, str] | None:
    """Return why a judge's model gave no answer, None where it gave one."""
    if said.error is None:
        return None
    kind: MissingKind = "unasked" if said.error.kind in UNASKED else "unjudged"
    return kind, f"the judge: {said.error.kind}: {said.error.message}"


def _none(judge: Judge, case: Case, why: tuple[MissingKind, str]) -> list[Judgement]:
    keys: Sequence[str] = judge.ballot.criteria if judge.ballot and judge.ballot.criteria else ("",)
    return [judgement(judge, case.subject, criterion=key, missing=why[0], reason=why[1]) for key in keys]


def _opinions(judge: Judge, subject: Subject, said: Response) -> Iterator[Judgement]:
    """Yield what one answer of the judge's model amounts to; what it cost stands in the first."""
    assert judge.ballot is not None  # noqa: S101 - for mypy
    ballot, opinion, fault = judge.ballot, read(said.answer, judge.ballot), unheard(said)
    cost, turns = said.cost_usd, said.turns
    for key in ballot.keys:
        label = opinion.labels.get(key)
        missing, reason = fault or (("unjudged", opinion.problem) if label is None else (None, None))
        mean = None if label is None or fault else _weighted(judge, said, key)
        value = None if label is None or fault else ballot.values[label] if mean is None else mean
        yield judgement(
            judge,
            subject,
            criterion=ballot.criterion(key),
            value=value,
            label=None if fault else label,
            explanation=opinion.explanation,
            reason=reason,
            missing=missing,
            weighted=mean is not None,
            raw=said.answer if said.error is None else None,
            cost_usd=cost,
            turns=turns,
        )
        cost, turns = 0.0, []


def _weighted(judge: Judge, said: Response, key: str) -> float | None:
    if not (isinstance(judge.spec, Asked) and judge.spec.weighted and judge.ballot and said.turns):
        return None
    return weighted(said.turns[-1].reply.logprobs, key, judge.ballot)
