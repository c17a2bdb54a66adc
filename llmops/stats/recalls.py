"""How often a rater is right: overall, and averaged over the classes that there are."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from llmops.stats.interval import Interval
from llmops.stats.proportion import proportion


class Recalls(NamedTuple):
    """A rater beside the truth."""

    accuracy: Interval
    balanced: Interval
    by_class: dict[str, Interval]
    """Class of the truth → how often it is found. Of two classes these are sensitivity, that of the
    class one looks for, and specificity, that of the other."""


def recalls(ours: Sequence[str], truth: Sequence[str], confidence: float = 0.95) -> Recalls:
    """Estimate accuracy, each class's recall, and their mean, the balanced accuracy.

    Proportions get Wilson's interval. Balanced accuracy, a mean of J independent proportions p_j with
    limits l_j and u_j, reaches √Σ(p_j − l_j)²/J down and √Σ(u_j − p_j)²/J up: Zou and Donner 2008,
    Stat. Med. 27:1693–1702.

    Raises:
        ValueError: the lists differ in length.
    """
    pairs = list(zip(ours, truth, strict=True))
    by_class = {
        each: proportion(sum(a == b for a, b in of), len(of), confidence)
        for each in sorted(set(truth))
        for of in [[pair for pair in pairs if pair[1] == each]]
    }
    accuracy = proportion(sum(a == b for a, b in pairs), len(pairs), confidence)
    return Recalls(accuracy, _mean(list(by_class.values()), len(pairs)), by_class)


def _mean(parts: list[Interval], n: int) -> Interval:
    if len(parts) < 2:
        return Interval(None, n, reason="undefined: the truth has only one class")
    value = math.fsum(part.value or 0.0 for part in parts) / len(parts)
    if any(part.low is None for part in parts):
        return Interval(value, n, reason="a class has only one example")
    down = math.hypot(*((part.value or 0.0) - (part.low or 0.0) for part in parts)) / len(parts)
    up = math.hypot(*((part.high or 0.0) - (part.value or 0.0) for part in parts)) / len(parts)
    return Interval(value, n, None, value - down, value + up, "mover")
