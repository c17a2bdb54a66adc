"""Intervals for statistics of many examples that have no closed form."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmops.stats.column import Floats
from llmops.stats.interval import Interval

Statistic = Callable[[NDArray[np.int64]], Floats]
"""(resamples × kinds) counts → (resamples × statistics) values, NaN where one is undefined."""


class Resampling(NamedTuple):
    """How intervals that have no formula are resampled."""

    resamples: int = 2000
    seed: int = 0


DRAWS_AT_ONCE = 4_000_000
"""Numbers held in memory at a time: 32 MB."""

UNDEFINED = 0.05
"""A statistic that more than this share of the resamples leaves undefined gets no interval."""


def bootstrap(
    statistic: Statistic,
    counts: Sequence[int] | NDArray[np.int64],
    seed: int,
    resamples: int = 2000,
    confidence: float = 0.95,
) -> list[Interval]:
    """Give each statistic its percentile bootstrap interval (Efron & Tibshirani 1993, chapter 13).

    Examples that are the same to the statistic are one *kind*: ``counts`` says how many of each
    kind there are (all 1 where every example is its own kind). Drawing n examples with
    replacement is then one multinomial draw of the kinds' counts, which is what the statistic
    takes: a macro F1 over 10,000 answers costs its few confusion cells, not 10,000 columns.

    Does not cover: examples that share a source, unless the kinds are the sources; a percentile
    interval of a small or skewed sample is too narrow (`bca` is less so).
    """
    drawn = np.asarray(counts, dtype=np.int64)
    n = int(drawn.sum())
    if n == 0:
        raise ValueError("counts sum to 0; a statistic of no examples has no interval")
    values = statistic(drawn[None, :])[0]
    if n == 1:
        return [_plain(float(value), n, "one value tells nothing of the spread") for value in values]
    sampled = np.concatenate([statistic(chunk) for chunk in draws(drawn, seed, resamples)])
    return [_interval(float(v), n, column, confidence) for v, column in zip(values, sampled.T, strict=True)]


def draws(counts: NDArray[np.int64], seed: int, resamples: int) -> Iterator[NDArray[np.int64]]:
    """Yield (resamples × kinds) how often each kind is drawn, in chunks; the same seed draws the same."""
    generator = np.random.default_rng(seed)
    n, kinds = int(counts.sum()), len(counts)
    step = max(1, DRAWS_AT_ONCE // kinds)
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        if kinds < n:
            yield generator.multinomial(n, counts / n, size=size)
        else:  # where every example is a kind, counting drawn places is 20 times as fast
            yield np.stack([np.bincount(generator.integers(n, size=n), minlength=n) for _ in range(size)])


def _interval(value: float, n: int, column: Floats, confidence: float) -> Interval:
    defined = column[~np.isnan(column)]
    if len(defined) < (1 - UNDEFINED) * len(column):
        return _plain(value, n, f"undefined in {1 - len(defined) / len(column):.0%} of the resamples")
    if np.ptp(defined) == 0:
        return _plain(value, n, "no spread between the resamples, so no telling how sure")
    tail = (1 - confidence) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return Interval(value, n, float(defined.std(ddof=1)), float(low), float(high), "bootstrap")


def _plain(value: float, n: int, reason: str) -> Interval:
    return Interval(None if np.isnan(value) else value, n, reason=reason)
