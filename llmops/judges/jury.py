"""Several judges' verdicts on the same answers, taken together."""

from collections import Counter
from collections.abc import Sequence
from statistics import fmean, pstdev

from llmops.judges.judge import Bench, Judge, Subject, judgement
from llmops.judges.specs import JurySpec
from llmops.records import Judgement
from llmops.totals import total


async def deliberated(judge: Judge, bench: Bench) -> list[Judgement]:
    """Return a Judgement of every answer by every criterion that a member judged."""
    assert isinstance(judge.spec, JurySpec)  # noqa: S101 - for mypy
    members = {name: await bench.judgements(name) for name in judge.spec.judges}
    subjects = {_place(subject): subject for subject in bench.subjects}
    opinions: dict[tuple[object, ...], dict[str, Judgement]] = {}
    for name, found in members.items():
        for each in found:
            key = each.model, each.prompt, each.example_id, each.repeat
            about = each.criterion, each.other_model, each.other_prompt
            opinions.setdefault((key, about), {})[name] = each
    return [
        _verdict(judge, subjects[key], said)  # type: ignore[index]
        for (key, _), said in opinions.items()
    ]


def _place(subject: Subject) -> tuple[str, str, str, int]:
    response = subject.response
    return response.model, response.prompt, response.example_id, response.repeat


def _verdict(judge: Judge, subject: Subject, said: dict[str, Judgement]) -> Judgement:
    assert isinstance(judge.spec, JurySpec)  # noqa: S101 - for mypy
    votes = {name: each.value for name, each in said.items()}
    cast = [value for value in votes.values() if value is not None]
    one = next(iter(said.values()))
    value, disagreement = counted(cast, judge.spec.vote)
    silent = value is None
    tied = silent and len(cast) > 0
    return judgement(
        judge,
        subject,
        criterion=one.criterion,
        value=value,
        label=next((each.label for each in said.values() if each.value == value and not silent), None),
        disagreement=disagreement,
        missing=("unjudged" if tied else one.missing or "unjudged") if silent else None,
        reason="no majority among the votes" if tied else _silence(said),
        votes=votes,
        other_model=one.other_model,
        other_prompt=one.other_prompt,
        cost_usd=total(each.cost_usd for each in said.values()),
        turns=[turn for each in said.values() for turn in each.turns],
    )


def _silence(said: dict[str, Judgement]) -> str | None:
    """Return why the first member that gave no vote gave none, None where all voted."""
    return next((f"{name}: {each.reason}" for name, each in said.items() if each.value is None), None)


def counted(cast: Sequence[float], vote: str) -> tuple[float | None, float | None]:
    """Return the votes' value and how far they disagree; (None, None) without votes.

    By ``majority`` the value that most gave, None where several were given as often, and the share of
    the others; by ``mean`` the mean and the votes' standard deviation.

    >>> counted([1.0, 1.0, 0.0, 1.0], "majority")
    (1.0, 0.25)
    """
    if not cast:
        return None, None
    if vote == "mean":
        return fmean(cast), pstdev(cast)
    (value, most), *others = Counter(cast).most_common()
    tied = any(count == most for _, count in others)
    return None if tied else value, 1 - most / len(cast)
