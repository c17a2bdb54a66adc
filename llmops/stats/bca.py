"""The bootstrap's interval, corrected for bias and for skewness."""

from collections.abc import Iterator, Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from llmops.stats.bootstrap import DRAWS_AT_ONCE, Resampling, Statistic, bootstrap, draws
from llmops.stats.column import Floats
from llmops.stats.interval import Interval

GROUPS = 2000
"""Kinds that are left out one by one; of more, groups of them are."""


def bca(
    statistic: Statistic,
    counts: Sequence[int] | NDArray[np.int64],
    how: Resampling,
    confidence: float = 0.95,
) -> list[Interval]:
    """Give each statistic its BCa interval (Efron 1987, J. Am. Stat. Assoc. 82:171–185).

    The limits are the resamples' quantiles at Φ(z₀ + (z₀ + z)/(1 − a(z₀ + z))): z₀ tells how far the
    resamples' median is from the value, and a, the acceleration, is the jackknife's
    Σd³/(6(Σd²)^1.5), where d is the mean of the values that leave one example out less each of them
    (Efron & Tibshirani 1993, section 14.3). The examples of a kind are left out alike, so a kind costs one
    value; more than 2,000 kinds are left out in as many groups.

    Takes and covers what `bootstrap` does; where that has no interval, nor has this one. Where the
    correction leads beyond the resamples, the percentile interval stands, and says so.
    """
    drawn = np.asarray(counts, dtype=np.int64)
    found = bootstrap(statistic, drawn, how.seed, how.resamples, confidence)
    if all(interval.low is None for interval in found):
        return found
    sampled = np.concatenate([statistic(chunk) for chunk in draws(drawn, how.seed, how.resamples)])
    skewness = _accelerations(statistic, drawn)
    return [
        _corrected(interval, column, float(a), confidence)
        for interval, column, a in zip(found, sampled.T, skewness, strict=True)
    ]


def _corrected(interval: Interval, column: Floats, acceleration: float, confidence: float) -> Interval:
    value, normal = interval.value, NormalDist()
    if interval.low is None or value is None:
        return interval
    defined = column[~np.isnan(column)]
    below = float((defined < value).mean() + (defined == value).mean() / 2)
    if not 0 < below < 1 or np.isnan(acceleration):
        return interval._replace(reason="percentile interval: no bias or acceleration can be told")
    bias = normal.inv_cdf(below)
    reach = normal.inv_cdf((1 + confidence) / 2)
    shrunk = [1 - acceleration * (bias + z) for z in (-reach, reach)]
    if min(shrunk) <= 0:
        return interval._replace(reason="percentile interval: too skewed to be corrected")
    tails = [
        normal.cdf(bias + (bias + z) / factor) for z, factor in zip((-reach, reach), shrunk, strict=True)
    ]
    low, high = (float(end) for end in np.quantile(defined, tails))
    return interval._replace(low=low, high=high, method="bca")


def _accelerations(statistic: Statistic, counts: NDArray[np.int64]) -> Floats:
    """Return each statistic's acceleration, NaN where leaving one out leaves it undefined."""
    weights, values = zip(*((w, statistic(left)) for w, left in _left_out(counts)), strict=True)
    weight, value = np.concatenate(weights)[:, None], np.concatenate(values)
    d = (weight * value).sum(axis=0) / weight.sum() - value
    spread = (weight * d**2).sum(axis=0)
    found: Floats = np.zeros(len(spread))
    np.divide((weight * d**3).sum(axis=0), 6 * spread**1.5, out=found, where=spread != 0)
    return found


def _left_out(counts: NDArray[np.int64]) -> Iterator[tuple[Floats, NDArray[np.int64]]]:
    """Yield (how often, counts without) in chunks: of each kind one example, or of many kinds a group."""
    kinds = np.flatnonzero(counts)
    groups = np.array_split(kinds, min(len(kinds), GROUPS))
    step = max(1, DRAWS_AT_ONCE // len(counts))
    for start in range(0, len(groups), step):
        chunk = groups[start : start + step]
        without = np.repeat(counts[None, :], len(chunk), axis=0)
        for row, group in enumerate(chunk):
            without[row, group] -= 1 if len(kinds) <= GROUPS else counts[group]
        often = [counts[group[0]] if len(kinds) <= GROUPS else 1 for group in chunk]
        yield np.asarray(often, dtype=np.float64), without
