"""Two answers to one example, shown to a model in both orders."""

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

from llmops.judges.cases import lacks, pair
from llmops.judges.grading import unanswered, unheard
from llmops.judges.judge import Bench, Judge, Subject, judgement
from llmops.judges.reading import read
from llmops.judges.specs import PairwiseSpec
from llmops.records import Judgement, MissingKind, Response
from llmops.totals import total

ORDER = "order"
"""Reason of a tie of which each order says another than the other."""
OUTCOMES = {1.0: "win", 0.5: "tie", 0.0: "loss"}


class Duel(NamedTuple):
    """One answer held against another to the same example."""

    ours: Subject
    theirs: Subject


async def paired(judge: Judge, bench: Bench) -> list[Judgement]:
    """Return a Judgement of each answer for each other one that it is held against, both orders asked."""
    duels = list(_duels(judge, bench))
    gaps = [_gap(judge, duel) for duel in duels]
    asked = [duel for duel, why in zip(duels, gaps, strict=True) if why is None]
    cases = [pair(judge, duel.ours, *texts) for duel in asked for texts in _orders(duel)]
    said = iter(await bench.ask(judge, cases))
    found = []
    for duel, why in zip(duels, gaps, strict=True):
        found.append(
            _decided(judge, duel, next(said), next(said)) if why is None else _none(judge, duel, why)
        )
    return found


def _duels(judge: Judge, bench: Bench) -> Iterator[Duel]:
    """Yield who is held against whom: every run against the baseline's, or each two runs once."""
    runs: dict[tuple[str, str], dict[tuple[str, int], Subject]] = {}
    for subject in bench.subjects:
        r = subject.response
        runs.setdefault((r.model, r.prompt), {})[r.example_id, r.repeat] = subject
    for ours, theirs in _runs(judge, bench, list(runs)):
        for key, subject in runs[ours].items():
            if (other := runs[theirs].get(key)) is not None:
                yield Duel(subject, other)


def _runs(
    judge: Judge, bench: Bench, runs: list[tuple[str, str]]
) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    told = bench.baseline
    base = (told.model, told.prompt) if told else None
    if isinstance(judge.spec, PairwiseSpec) and judge.spec.against == "baseline" and base in runs:
        yield from ((run, run_b) for run in runs for run_b in runs if run != run_b == base)
    else:
        yield from combinations(runs, 2)


def _orders(duel: Duel) -> tuple[tuple[str, str], tuple[str, str]]:
    ours, theirs = duel.ours.response.answer or "", duel.theirs.response.answer or ""
    return (ours, theirs), (theirs, ours)


def _gap(judge: Judge, duel: Duel) -> tuple[MissingKind, str] | None:
    for subject in duel:
        if found := unanswered(subject):
            return found
    why = lacks(judge, pair(judge, duel.ours, "", ""))
    return None if why is None else ("no_target", why)


def _none(judge: Judge, duel: Duel, why: tuple[MissingKind, str]) -> Judgement:
    other = duel.theirs.response
    return judgement(
        judge, duel.ours, missing=why[0], reason=why[1], other_model=other.model, other_prompt=other.prompt
    )


def _decided(judge: Judge, duel: Duel, straight: Response, turned: Response) -> Judgement:
    """Return the outcome for ours: a win or loss where both orders say it, else a tie."""
    assert judge.ballot is not None  # noqa: S101 - for mypy
    opinions = [read(said.answer, judge.ballot) for said in (straight, turned)]
    faults = [unheard(said) for said in (straight, turned)]
    values = [None if f else _value(judge, o.labels) for o, f in zip(opinions, faults, strict=True)]
    first, second = values[0], None if values[1] is None else 1.0 - values[1]
    value = None if first is None or second is None else first if first == second else 0.5
    problems = [f or ("unjudged", o.problem) for o, f in zip(opinions, faults, strict=True) if f or o.problem]
    missing, reason = problems[0] if value is None else (None, None if first == second else ORDER)
    other = duel.theirs.response
    return judgement(
        judge,
        duel.ours,
        value=value,
        label=None if value is None else OUTCOMES[value],
        explanation=opinions[0].explanation,
        reason=reason,
        missing=missing,
        raw=next(
            (o.answer for o, v in zip((straight, turned), values, strict=True) if v is None), straight.answer
        ),
        other_model=other.model,
        other_prompt=other.prompt,
        orders=[None if v is None else OUTCOMES[v] for v in (first, second)],
        cost_usd=total([straight.cost_usd, turned.cost_usd]),
        turns=[*straight.turns, *turned.turns],
    )


def _value(judge: Judge, labels: "dict[str, str] | object") -> float | None:
    if not isinstance(labels, dict) or judge.ballot is None or not labels:
        return None
    return judge.ballot.values[labels[judge.ballot.keys[0]]]
