"""What the order in which two answers were shown does to a judge's choice."""

from collections.abc import Sequence
from typing import NamedTuple

from llmops.stats.column import finite
from llmops.stats.estimate import mean
from llmops.stats.interval import Interval, within
from llmops.stats.spread import around_mean, sources
from llmops.stats.tango import tango


class Orders(NamedTuple):
    """A pairwise judge that saw every pair in both orders."""

    consistent: Interval
    """Pairs in which it preferred the same answer both times."""
    toward_first: Interval
    """Pairs in which it chose the first place both times, less those of the second; 0 is no bias."""
    first: int
    """Pairs in which it chose the first place both times."""
    second: int


def orders(
    as_given: Sequence[str],
    swapped: Sequence[str],
    confidence: float = 0.95,
    clusters: Sequence[str] | None = None,
) -> Orders:
    """Estimate the position consistency and the bias towards a place (Wang et al. 2023, arXiv 2305.17926).

    Consistency has Wilson's interval and the bias Tango's; pairs that share a source, the clustered
    standard error with Student's t.

    Args:
        as_given: the preferred answer, ``"1"``, ``"2"`` or another word for a tie, where 1 was first.
        swapped: the preferred answer, by the same names, where 2 was shown first.
    """
    pairs = list(zip(as_given, swapped, strict=True))
    leanings = [(pair == ("1", "2")) - (pair == ("2", "1")) for pair in pairs]
    first, second = leanings.count(1), leanings.count(-1)
    if not pairs:
        nothing = Interval(None, 0, reason="no pairs")
        return Orders(nothing, nothing, 0, 0)
    shared = sources(clusters, len(pairs))
    consistent = mean([float(a == b) for a, b in pairs], shared, confidence)
    if shared is None:
        toward = tango(first, second, len(pairs), confidence)
    else:
        toward = within(around_mean(finite(leanings), shared, confidence), -1.0, 1.0)
    return Orders(consistent, toward, first, second)


def self_consistency(
    repeats: Sequence[Sequence[str]], confidence: float = 0.95, clusters: Sequence[str] | None = None
) -> Interval:
    """Estimate how often two judgements of the same thing agree, over things judged more than once.

    The mean over the things of the share of their pairs of repeats that are the same.
    """
    told = [place for place, values in enumerate(repeats) if len(values) > 1]
    if not told:
        return Interval(None, 0, reason="nothing was judged twice")
    shares = [
        sum(values.count(value) - 1 for value in values) / (len(values) * (len(values) - 1))
        for values in (list(repeats[place]) for place in told)
    ]
    shared = [clusters[place] for place in told] if clusters else None
    return within(mean(shares, shared, confidence), 0.0, 1.0)
