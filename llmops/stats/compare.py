"""The difference between two applications asked the same examples."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from llmops.stats.column import binary, finite
from llmops.stats.interval import Interval, within
from llmops.stats.spread import around_mean, sources
from llmops.stats.tango import tango


class Difference(NamedTuple):
    """Ours minus theirs, with its interval; what cannot be known is None, and ``reason`` says why."""

    value: float | None
    n: int
    """Pairs."""
    fixed: int
    """Pairs in which ours is higher."""
    broke: int
    """Pairs in which ours is lower."""
    se: float | None = None
    low: float | None = None
    high: float | None = None
    method: str | None = None
    reason: str | None = None


def paired_difference(
    ours: Sequence[float],
    theirs: Sequence[float],
    clusters: Sequence[str] | None = None,
    confidence: float = 0.95,
) -> Difference:
    """Estimate the mean difference over pairs: the same examples in the same order.

    Values of 0 and 1 get Tango's score interval, others Student's t on the differences;
    with clusters, the clustered t of ``estimate.mean``. Differences that are all the same leave
    t nothing to measure: 0/1 values then count each cluster as one pair, others get no interval.

    Raises:
        ValueError: a value is not finite, or the columns differ in length.
    """
    a, b = finite(ours), finite(theirs)
    if len(a) != len(b):
        raise ValueError(f"{len(a)} values against {len(b)}; pairs need one of each")
    fixed, broke = int((a > b).sum()), int((a < b).sum())
    if len(a) == 0:
        return Difference(None, 0, 0, 0, reason="no pairs")
    shared = sources(clusters, len(a))
    if not (binary(a) and binary(b)):
        return _difference(around_mean(a - b, shared, confidence), fixed, broke)
    if shared is None:
        return _difference(tango(fixed, broke, len(a), confidence), fixed, broke)
    if np.ptp(a - b) == 0:
        return _difference(_alike_clusters(float(a[0] - b[0]), shared, confidence), fixed, broke)
    return _difference(within(around_mean(a - b, shared, confidence), -1.0, 1.0), fixed, broke)


def _alike_clusters(value: float, clusters: Sequence[str], confidence: float) -> Interval:
    groups = len(set(clusters))
    counted = tango(groups * (value > 0), groups * (value < 0), groups, confidence)
    if counted.low is None:
        return Interval(value, len(clusters), reason="one cluster tells nothing of the spread")
    return counted._replace(n=len(clusters), method="tango over clusters")


def _difference(interval: Interval, fixed: int, broke: int) -> Difference:
    return Difference(fixed=fixed, broke=broke, **interval._asdict())
