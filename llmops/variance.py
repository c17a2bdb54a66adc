"""What an estimate's uncertainty is made of: examples, their answers, the votes on an answer."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from llmops import jsonl
from llmops.places import Places
from llmops.records import Estimate, Judgement
from llmops.scores import measured
from llmops.stats.betting import METHOD
from llmops.stats.components import Components, components
from llmops.stats.interval import z_quantile
from llmops.stats.power import smallest_difference

Key = tuple[str, str, str]
"""Model, prompt and metric."""


class Split(NamedTuple):
    """A metric's variance, and over how many answers and votes an example's value is averaged."""

    parts: Components
    repeats: float
    votes: float


Splits = Mapping[Key, Split]


class Doubled(NamedTuple):
    """The smallest difference that twice as much of one kind sees; None where the variance is not split."""

    examples: float | None
    repeats: float | None
    judged: float | None


def split_variance(here: Places, name: str, repeats: int) -> dict[Key, Split]:
    """Return run and metric → where the spread of its values comes from, where any was taken twice."""
    found: dict[Key, dict[str, list[list[float]]]] = defaultdict(lambda: defaultdict(list))
    if repeats > 1:
        for score in measured(here.suite(name)):
            if score.value is not None:
                found[score.model, score.prompt, score.metric][score.example_id].append([score.value])
    voted: dict[Key, dict[str, list[list[float]]]] = defaultdict(lambda: defaultdict(list))
    for key, example, votes in _votes(here, name):
        voted[key][example].append(votes)
    return {key: _split(list(answers.values())) for key, answers in {**found, **voted}.items()}


def _votes(here: Places, name: str) -> Iterator[tuple[Key, str, list[float]]]:
    path = here.suite(name, "judgements.jsonl")
    for row in jsonl.read(path, Judgement) if path.exists() else ():
        if votes := [value for value in row.votes.values() if value is not None]:
            yield (row.model, row.prompt, row.metric), row.example_id, votes


def _split(nested: list[list[list[float]]]) -> Split:
    votes = [len(each) for answers in nested for each in answers]
    return Split(components(nested), len(votes) / len(nested), sum(votes) / len(votes))


def value_sd(e: Estimate) -> float | None:
    """Return what one example adds to the spread of an estimate, clusters and corrections included.

    The interval tells it; a confidence sequence's does not, which is wide for another reason.
    """
    if e.method == METHOD:
        return None if e.se is None else e.se * math.sqrt(e.n)
    return _from_interval(e, e.low, e.high)


def paired_sd(e: Estimate) -> float | None:
    """Return what one pair adds to the spread of the difference, as ``value_sd`` does for the value."""
    if e.method == METHOD and None not in (e.fixed, e.broke, e.difference) and e.n:
        differing = ((e.fixed or 0) + (e.broke or 0)) / e.n
        return math.sqrt(max(0.0, differing - (e.difference or 0.0) ** 2))
    return _from_interval(e, e.difference_low, e.difference_high)


def _from_interval(e: Estimate, low: float | None, high: float | None) -> float | None:
    if low is None or high is None or not e.n:
        return None
    return (high - low) / 2 / z_quantile(e.confidence) * math.sqrt(e.n)


def doubled(e: Estimate, splits: Splits) -> Doubled:
    """Return what twice the examples, the answers to each, or the votes on each would see.

    Of variance E + G/r + J/(r·v) over r answers and v votes, examples divide all, answers G and J, votes
    J only. A difference has the answers' and votes' variance of both sides; what is left is of the pairs.
    """
    sd = paired_sd(e)
    sides = [(e.model, e.prompt)] if sd is None else [(e.model, e.prompt), _baseline(e)]
    if sd is None and (sd := value_sd(e)) is None:
        return Doubled(None, None, None)
    parts = [splits.get((*side, e.metric)) for side in sides]
    known = [part for part in parts if part is not None]
    judged = [_over(s, s.parts.judge.value, s.repeats * s.votes) for s in known]
    asked = [_over(s, s.parts.generation.value, s.repeats) for s in known]
    whole = len(known) == len(parts)
    saved_by_votes = _sum(judged) if whole else None
    saved_by_repeats = _sum([*asked, *(part or 0.0 for part in judged)]) if whole else None
    return Doubled(
        smallest_difference(sd, 2 * e.n, e.confidence),
        *(_without(e, sd, saved) for saved in (saved_by_repeats, saved_by_votes)),
    )


def _baseline(e: Estimate) -> tuple[str, str]:
    model, _, prompt = (e.baseline or "").partition(" · ")
    return model, prompt


def _over(split: Split, variance: float | None, times: float) -> float | None:
    return None if variance is None else variance / times


def _sum(parts: Iterable[float | None]) -> float | None:
    held = list(parts)
    return None if None in held or not held else sum(part or 0.0 for part in held)


def _without(e: Estimate, sd: float, part: float | None) -> float | None:
    """Return what is seen once half of this part of the variance is gone."""
    if part is None:
        return None
    return smallest_difference(math.sqrt(max(0.0, sd**2 - part / 2)), e.n, e.confidence)
