"""A pairwise judge's outcomes to where each run stands."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from llmops.judges.judge import Subject
from llmops.judges.judged import from_both_sides
from llmops.records import Judgement, Ranked
from llmops.stats.bootstrap import Resampling
from llmops.stats.bradley_terry import Pairing, strengths
from llmops.stats.estimate import mean
from llmops.stats.interval import Interval
from llmops.stats.winrate import length_controlled

Key = tuple[str, str, str, int]
"""Model, prompt, example, repeat."""


class How(NamedTuple):
    """How sure a ranking's intervals are, and how they are resampled."""

    confidence: float
    resampling: Resampling


def ranked(judgements: Sequence[Judgement], subjects: Sequence[Subject], how: How) -> Iterator[Ranked]:
    """Yield each run of each pairwise judge, the strongest first, then by win rate.

    Outcomes of examples that no subject is of are left out.
    """
    lengths = {(r.model, r.prompt, r.example_id, r.repeat): float(len(r.answer or "")) for r, _ in subjects}
    sources = {example.id: example.cluster or example.id for _, example in subjects}
    by_judge: dict[str, list[Judgement]] = defaultdict(list)
    for each in judgements:
        if each.other_model is not None and each.value is not None and each.example_id in sources:
            by_judge[each.judge].append(each)
    for found in by_judge.values():
        rows = list(_ranked(found, lengths, sources, how))
        yield from sorted(rows, key=lambda row: (-(row.strength or 0.0), -(row.win_rate or 0.0)))


def _ranked(
    found: Sequence[Judgement], lengths: Mapping[Key, float], sources: Mapping[str, str], how: How
) -> Iterator[Ranked]:
    pairings = [
        Pairing(_ours(each), _theirs(each), each.value or 0.0, sources[each.example_id]) for each in found
    ]
    strong = strengths(pairings, how.resampling, how.confidence)
    by_run: dict[str, list[Judgement]] = defaultdict(list)
    for each in found:
        for seen in from_both_sides(each):
            by_run[_ours(seen)].append(seen)
    for run, outcomes in by_run.items():
        values = [each.value or 0.0 for each in outcomes]
        clusters = [sources[each.example_id] for each in outcomes]
        gaps = [_lengths(each, lengths) for each in outcomes]
        rate = mean(values, clusters, how.confidence)
        controlled = length_controlled(values, gaps, clusters, how.confidence)
        yield _row(outcomes[0], rate, strong[run], controlled)


def _row(one: Judgement, rate: Interval, strength: Interval, controlled: Interval) -> Ranked:
    told = (("win rate", rate), ("strength", strength), ("length-controlled", controlled))
    return Ranked(
        suite=one.suite,
        judge=one.judge,
        model=one.model,
        prompt=one.prompt,
        n=rate.n,
        win_rate=rate.value,
        win_low=rate.low,
        win_high=rate.high,
        strength=strength.value,
        strength_low=strength.low,
        strength_high=strength.high,
        controlled=controlled.value,
        controlled_low=controlled.low,
        controlled_high=controlled.high,
        reasons=[f"{what}: {each.reason}" for what, each in told if each.reason],
    )


def _ours(each: Judgement) -> str:
    return f"{each.model} · {each.prompt}"


def _theirs(each: Judgement) -> str:
    return f"{each.other_model} · {each.other_prompt}"


def _lengths(each: Judgement, lengths: Mapping[Key, float]) -> tuple[float, float]:
    ours = lengths.get((each.model, each.prompt, each.example_id, each.repeat), 0.0)
    other = each.other_model or "", each.other_prompt or ""
    return ours, lengths.get((*other, each.example_id, each.repeat), 0.0)
