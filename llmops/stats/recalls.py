"""How often a rater is right: overall, and averaged over the classes that there are."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from llmops.stats.column import Floats
from llmops.stats.estimate import mean
from llmops.stats.interval import Interval, t_quantile, within
from llmops.stats.spread import clustered_se, sources


class Recalls(NamedTuple):
    """A rater beside the truth."""

    accuracy: Interval
    balanced: Interval
    by_class: dict[str, Interval]
    """Class of the truth → how often it is found. Of two classes these are sensitivity, that of the
    class one looks for, and specificity, that of the other."""


def recalls(
    ours: Sequence[str],
    truth: Sequence[str],
    confidence: float = 0.95,
    clusters: Sequence[str] | None = None,
) -> Recalls:
    """Estimate accuracy, each class's recall, and their mean, the balanced accuracy.

    Proportions get Wilson's interval. Balanced accuracy, a mean of J independent proportions p_j with
    limits l_j and u_j, reaches √Σ(p_j − l_j)²/J down and √Σ(u_j − p_j)²/J up: Zou and Donner 2008,
    Stat. Med. 27:1693–1702. Where answers share a source, all have the clustered standard error with
    Student's t; that of balanced accuracy is of Σ_j 1(truth = j)(hit − p_j)·n/(J·n_j), its linearization
    (Binder 1983, Int. Stat. Rev. 51:279–292).

    Raises:
        ValueError: the lists differ in length.
    """
    hits = np.array([a == b for a, b in zip(ours, truth, strict=True)], dtype=np.float64)
    shared = sources(clusters, len(hits))
    places = {each: [i for i, of in enumerate(truth) if of == each] for each in sorted(set(truth))}
    by_class = {each: _proportion(hits, rows, shared, confidence) for each, rows in places.items()}
    accuracy = _proportion(hits, range(len(hits)), shared, confidence)
    parts = list(by_class.values())
    if len(parts) < 2 or shared is None:
        return Recalls(accuracy, _mean(parts, len(hits)), by_class)
    shifts = np.zeros(len(hits))
    for rows in places.values():
        shifts[rows] = (hits[rows] - hits[rows].mean()) * len(hits) / (len(parts) * len(rows))
    value = math.fsum(part.value or 0.0 for part in parts) / len(parts)
    return Recalls(accuracy, _clustered(value, shifts, shared, confidence), by_class)


def _proportion(
    hits: Floats,
    rows: Sequence[int],
    shared: Sequence[str] | None,
    confidence: float,
) -> Interval:
    return mean([float(hits[i]) for i in rows], [shared[i] for i in rows] if shared else None, confidence)


def _clustered(value: float, shifts: Floats, shared: Sequence[str], confidence: float) -> Interval:
    groups = len(set(shared))
    if groups < 2 or not shifts.any():
        why = "one cluster tells nothing of the spread" if groups < 2 else "no spread, so no telling how sure"
        return Interval(value, len(shifts), reason=why)
    se = clustered_se(shifts, shared)
    reach = t_quantile(confidence, groups - 1) * se
    return within(Interval(value, len(shifts), se, value - reach, value + reach, "clustered t"), 0.0, 1.0)


def _mean(parts: list[Interval], n: int) -> Interval:
    if len(parts) < 2:
        return Interval(None, n, reason="undefined: the truth has only one class")
    value = math.fsum(part.value or 0.0 for part in parts) / len(parts)
    if any(part.low is None for part in parts):
        return Interval(value, n, reason="a class has only one example")
    down = math.hypot(*((part.value or 0.0) - (part.low or 0.0) for part in parts)) / len(parts)
    up = math.hypot(*((part.high or 0.0) - (part.value or 0.0) for part in parts)) / len(parts)
    return Interval(value, n, None, value - down, value + up, "mover")
