"""What the order in which two answers were shown does to a judge's choice."""

from collections.abc import Sequence
from typing import NamedTuple

from llmops.stats.interval import Interval
from llmops.stats.proportion import bonett_price, proportion


class Orders(NamedTuple):
    """A pairwise judge that saw every pair in both orders."""

    consistent: Interval
    """Pairs in which it preferred the same answer both times."""
    toward_first: Interval
    """Pairs in which it chose the first place both times, less those of the second; 0 is no bias."""
    first: int
    """Pairs in which it chose the first place both times."""
    second: int


def orders(as_given: Sequence[str], swapped: Sequence[str], confidence: float = 0.95) -> Orders:
    """Estimate the position consistency and the bias towards a place.

    Args:
        as_given: the preferred answer, ``"1"``, ``"2"`` or another word for a tie, where 1 was first.
        swapped: the preferred answer, by the same names, where 2 was shown first.
    """
    pairs = list(zip(as_given, swapped, strict=True))
    same = sum(a == b for a, b in pairs)
    first = sum((a, b) == ("1", "2") for a, b in pairs)
    second = sum((a, b) == ("2", "1") for a, b in pairs)
    if not pairs:
        nothing = Interval(None, 0, reason="no pairs")
        return Orders(nothing, nothing, 0, 0)
    toward = bonett_price(first, second, len(pairs), confidence)
    return Orders(proportion(same, len(pairs), confidence), toward, first, second)


def self_consistency(repeats: Sequence[Sequence[str]], confidence: float = 0.95) -> Interval:
    """Estimate how often two judgements of the same thing agree, over things judged more than once.

    The mean over the things of the share of their pairs of repeats that are the same.
    """
    from llmops.stats.estimate import mean

    shares = []
    for values in repeats:
        n = len(values)
        if n > 1:
            alike = sum(values.count(value) - 1 for value in values)
            shares.append(alike / (n * (n - 1)))
    if not shares:
        return Interval(None, 0, reason="nothing was judged twice")
    return mean(shares, None, confidence)
