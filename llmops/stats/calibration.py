"""How well a confidence tells whether an answer is right: calibration error, Brier score, AUROC."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmops.stats.bootstrap import bootstrap
from llmops.stats.column import Floats, binary, finite
from llmops.stats.interval import Interval, within
from llmops.stats.spread import sources

BINS = 10


class Calibration(NamedTuple):
    """The numbers, each with its interval."""

    ece: Interval
    """Expected calibration error over bins of equal width."""
    ece_equal_mass: Interval
    """The same over bins of equally many examples."""
    brier: Interval
    auroc: Interval


def calibration(
    confidences: Sequence[float],
    correct: Sequence[float],
    clusters: Sequence[str] | None = None,
    seed: int = 0,
    resamples: int = 2000,
    confidence: float = 0.95,
) -> Calibration:
    """Hold confidences, 0 to 1, against correctness, 0 or 1.

    - ECE = Σ_b n_b/n · |mean correctness − mean confidence| over ten bins of the confidence, closed
      on the right (Guo et al. 2017, arXiv 1706.04599, equation 3); bins of equal mass end at the
      sample's deciles, so that equal confidences share one (Nixon et al. 2019, arXiv 1904.01685).
    - Brier score = mean of (confidence − correctness)² (Brier 1950).
    - AUROC = P(a right answer's confidence is above a wrong one's) + half of P(they are equal).

    Intervals are from a bootstrap that draws clusters as a whole. An ECE is biased upward, each
    resample's once more, so its interval is the *basic* one, 2·value − quantiles (Davison & Hinkley
    1997, section 5.2.1), which takes that bias off, and reaches down to 0 where a calibrated model
    would show as much: below the upper quantile of resamples whose bins are centred on no gap. The
    others' are of percentiles.

    Does not cover: what differs inside a bin; a small sample, on which these intervals of ECE hold
    the truth less often than they say (about 85 % of the time at 100 answers).

    Raises:
        ValueError: the columns differ in length, or hold other values than these.
    """
    sureness, right = finite(confidences), finite(correct)
    if len(sureness) != len(right):
        raise ValueError(f"{len(sureness)} confidences for {len(right)} answers; there must be one for each")
    if not binary(right) or ((sureness < 0) | (sureness > 1)).any():
        raise ValueError("a confidence must lie between 0 and 1, and correctness be 0 or 1")
    if len(right) == 0:
        nothing = Interval(None, 0, reason="no values")
        return Calibration(nothing, nothing, nothing, nothing)
    found = _Sample(sureness, right).intervals(clusters, seed, resamples, confidence)
    width, mass, width_floor, mass_floor, brier, auroc = found
    if np.ptp(right) == 0:
        auroc = auroc._replace(reason="all answers are right, or all wrong")
    return Calibration(_basic(width, width_floor), _basic(mass, mass_floor), brier, auroc)


class _Sample:
    """The columns in order of confidence, cut into bins and into runs of equal confidence."""

    def __init__(self, sureness: Floats, right: Floats) -> None:
        self._order = np.argsort(sureness, kind="stable")
        self._sureness, self._right = sureness[self._order], right[self._order]
        edges = np.arange(1, BINS) / BINS
        by_width = np.searchsorted(edges, self._sureness, side="left")
        by_mass = np.searchsorted(np.quantile(self._sureness, edges), self._sureness, side="left")
        self._bins = [_starts(by_width), _starts(by_mass)]
        self._ties = _starts(self._sureness)

    def intervals(
        self, clusters: Sequence[str] | None, seed: int, resamples: int, confidence: float
    ) -> list[Interval]:
        n = len(self._right)
        shared = sources(clusters, n)
        names, index = np.unique(np.asarray(range(n) if shared is None else shared), return_inverse=True)
        place = index[self._order]
        found = bootstrap(
            lambda drawn: self._statistics(drawn[:, place]), [1] * len(names), seed, resamples, confidence
        )
        return found if shared is None else [_clustered(interval, n) for interval in found]

    def _statistics(self, drawn: NDArray[np.int64]) -> Floats:
        """(resamples × examples) how often each is drawn → (resamples × 6) values."""
        total, gap = drawn.sum(axis=1), self._right - self._sureness
        ece = [_ece(drawn * gap, starts) / total for starts in self._bins]
        floors = [_ece(drawn * _centred(gap, starts), starts) / total for starts in self._bins]
        brier = drawn @ np.square(gap) / total
        return np.column_stack([*ece, *floors, brier, self._auroc(drawn)])

    def _auroc(self, drawn: NDArray[np.int64]) -> Floats:
        positive = np.add.reduceat(drawn * self._right, self._ties, axis=1)
        negative = np.add.reduceat(drawn * (1 - self._right), self._ties, axis=1)
        below = np.cumsum(negative, axis=1) - negative / 2
        pairs = positive.sum(axis=1) * negative.sum(axis=1)
        area: Floats = np.full(len(drawn), np.nan)
        np.divide((positive * below).sum(axis=1), pairs, out=area, where=pairs > 0)
        return area


def _starts(ordered: NDArray[np.generic]) -> NDArray[np.int64]:
    """Return where each run of equal values begins."""
    return np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))


def _ece(gaps: Floats, starts: NDArray[np.int64]) -> Floats:
    """(resamples × examples) gaps → (resamples) sums over the bins of the absolute gap."""
    sums: Floats = np.abs(np.add.reduceat(gaps, starts, axis=1)).sum(axis=1)
    return sums


def _centred(gap: Floats, starts: NDArray[np.int64]) -> Floats:
    """The gaps less their bin's mean: those of a model that is calibrated in every bin."""
    sizes = np.diff([*starts, len(gap)])
    centred: Floats = gap - np.repeat(np.add.reduceat(gap, starts) / sizes, sizes)
    return centred


def _basic(interval: Interval, floor: Interval) -> Interval:
    value, low, high = interval.value, interval.low, interval.high
    if value is None or low is None or high is None:
        return interval
    least = 0.0 if floor.high is None or value <= floor.high else min(value, 2 * value - high)
    turned = interval._replace(low=least, high=max(value, 2 * value - low))
    return within(turned, 0.0, 1.0)._replace(method=f"basic {interval.method}")


def _clustered(interval: Interval, n: int) -> Interval:
    return interval._replace(n=n, method=interval.method and f"clustered {interval.method}")
