"""Tests of two applications that were asked the same examples, each with its effect size."""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmops.stats.bootstrap import Resampling, bootstrap
from llmops.stats.column import Floats, binary, finite

RESAMPLES = 10_000
DRAWS_AT_ONCE = 4_000_000
"""Signs held in memory at a time: 32 MB as float64."""

EXACT = 200
"""Differing pairs up to which the signed ranks' distribution is enumerated."""


class PairedTest(NamedTuple):
    """A two-sided test's result; what cannot be known is None, and ``reason`` says why."""

    method: str
    n: int
    """Pairs."""
    p_value: float | None
    effect_name: str
    effect: float | None = None
    effect_low: float | None = None
    effect_high: float | None = None
    reason: str | None = None


def mcnemar(ours: Sequence[float], theirs: Sequence[float], confidence: float = 0.95) -> PairedTest:
    """Test whether two applications are right equally often, exactly.

    Of the pairs in which one is right and the other wrong, each side gets half under the null: a
    two-sided binomial test (McNemar 1947, Psychometrika 12:153–157). The effect is the odds ratio
    fixed / broke, p/(1 − p) of p = fixed/(fixed + broke), with the limits of Clopper and Pearson's exact
    interval of p (1934, Biometrika 26:404–413) turned likewise; what is infinite is None.

    Raises:
        ValueError: a value is not 0 or 1, or the columns differ in length.
    """
    a, b = _pairs(ours, theirs)
    if not (binary(a) and binary(b)):
        raise ValueError("McNemar's test compares values of 0 and 1; use wilcoxon or sign_flips for others")
    fixed, broke = int((a > b).sum()), int((a < b).sum())
    if fixed + broke == 0:
        return _alike("mcnemar", len(a), "odds ratio")
    from scipy.special import betaincinv
    from scipy.stats import binomtest

    p_value, tail = float(binomtest(fixed, fixed + broke, 0.5).pvalue), (1 - confidence) / 2
    low = float(betaincinv(fixed, broke + 1, tail)) if fixed else 0.0
    high = float(betaincinv(fixed + 1, broke, 1 - tail)) if broke else 1.0
    effect, low_odds, high_odds = (_odds(p) for p in (fixed / (fixed + broke), low, high))
    reason = None if broke else "nothing broke, so the odds ratio has no upper end"
    return PairedTest("mcnemar", len(a), p_value, "odds ratio", effect, low_odds, high_odds, reason)


def wilcoxon(ours: Sequence[float], theirs: Sequence[float]) -> PairedTest:
    """Test whether differences lie symmetrically around 0, by their signed ranks.

    Wilcoxon 1945, Biometrics Bull. 1:80–83; equal pairs are left out, ties share a rank. Up to 200
    differing pairs the ranks' distribution is enumerated, ties as they are; beyond, it is taken as normal,
    corrected for ties. The effect is the matched-pairs rank-biserial correlation,
    (R₊ − R₋)/(R₊ + R₋): Kerby 2014, Compr. Psychol. 3. It gets no interval: none is known that covers.

    Raises:
        ValueError: a value is not finite, or the columns differ in length.
    """
    from scipy.stats import rankdata
    from scipy.stats import wilcoxon as signed_rank

    a, b = _pairs(ours, theirs)
    differences = (a - b)[a != b]
    if len(differences) == 0:
        return _alike("wilcoxon", len(a), "rank-biserial correlation")
    ranks = rankdata(np.abs(differences))
    above = float(ranks[differences > 0].sum())
    effect = 2 * above / float(ranks.sum()) - 1
    if len(differences) <= EXACT:
        p_value = _exactly(ranks, above)
    else:
        p_value = float(signed_rank(differences, method="asymptotic").pvalue)
    return PairedTest("wilcoxon", len(a), p_value, "rank-biserial correlation", effect)


def _exactly(ranks: Floats, above: float) -> float:
    """Return the two-sided p-value of a sum of ranks, each of which is in it with probability ½."""
    doubled = np.rint(2 * ranks).astype(np.int64)  # tied ranks are halves
    chance = np.zeros(int(doubled.sum()) + 1)
    chance[0] = 1.0
    for rank in doubled:
        chance[rank:] = (chance[rank:] + chance[:-rank]) / 2
        chance[:rank] /= 2
    at = round(2 * above)
    return float(min(1.0, 2 * min(chance[: at + 1].sum(), chance[at:].sum())))


def sign_flips(
    ours: Sequence[float],
    theirs: Sequence[float],
    seed: int,
    resamples: int = RESAMPLES,
    confidence: float = 0.95,
) -> PairedTest:
    """Test whether the mean difference is 0 by flipping the differences' signs at random.

    Under the null each pair's two values could as well be swapped. With k of B random swaps at
    least as far from 0 as what was seen, p = (1 + k)/(1 + B), which is never 0: Phipson & Smyth
    2010, Stat. Appl. Genet. Mol. Biol. 9:39. The effect is Cohen's d_z, the mean difference over the
    standard deviation of the differences, with the limits of the noncentral t distribution (Cumming &
    Finch 2001, Educ. Psychol. Meas. 61:532–574), which take the differences as normal.

    Raises:
        ValueError: a value is not finite, or the columns differ in length.
    """
    a, b = _pairs(ours, theirs)
    differences = a - b
    moving = differences[differences != 0]
    if len(moving) == 0:
        return _alike("sign flips", len(a), "d_z")
    seen = abs(float(moving.sum())) * (1 - 1e-12)  # sums in another order differ in their last bits
    farther = sum(int((np.abs(sums) >= seen).sum()) for sums in _flipped(moving, seed, resamples))
    p_value = (1 + farther) / (1 + resamples)
    if np.ptp(differences) == 0:
        reason = "all differences are the same, so they have no spread to be measured in"
        return PairedTest("sign flips", len(a), p_value, "d_z", reason=reason)
    return PairedTest("sign flips", len(a), p_value, "d_z", *_standardised(differences, confidence))


def _standardised(differences: Floats, confidence: float) -> tuple[float, float, float]:
    from scipy.special import nctdtrinc

    n, tail = len(differences), (1 - confidence) / 2
    effect = float(differences.mean() / differences.std(ddof=1))
    low, high = (float(nctdtrinc(n - 1, p, effect * math.sqrt(n))) for p in (1 - tail, tail))
    return effect, low / math.sqrt(n), high / math.sqrt(n)


def _flipped(moving: Floats, seed: int, resamples: int) -> Iterator[Floats]:
    generator = np.random.default_rng(seed)
    step = max(1, DRAWS_AT_ONCE // len(moving))
    for start in range(0, resamples, step):
        shape = min(step, resamples - start), len(moving)
        yield (generator.integers(0, 2, size=shape, dtype=np.int8) * 2.0 - 1.0) @ moving


def resampled(
    ours: Sequence[float], theirs: Sequence[float], how: Resampling, confidence: float = 0.95
) -> PairedTest:
    """Test whether the mean difference is 0 by drawing the pairs anew (Efron & Tibshirani 1993, 16.4).

    The effect is the mean difference with its percentile interval. The p-value inverts such intervals:
    twice the smaller share of the resamples on either side of 0, (1 + k)/(1 + B) at least.

    Does not cover: fewer than some 30 pairs, where the interval is too narrow; of 100 normal pairs it
    still holds the difference 94 times in 100 (tests/stats/test_coverage.py).

    Raises:
        ValueError: a value is not finite, or the columns differ in length.
    """
    a, b = _pairs(ours, theirs)
    if (a == b).all():
        return _alike("paired bootstrap", len(a), "mean difference")
    values, counts = np.unique(a - b, return_counts=True)
    drawn: list[Floats] = []

    def mean(weights: NDArray[np.int64]) -> Floats:
        means: Floats = weights @ values[:, None] / len(a)
        drawn.append(means[:, 0])
        return means

    (found,) = bootstrap(mean, counts, how.seed, how.resamples, confidence)
    ends = found.value, found.low, found.high
    if found.low is None:
        return PairedTest("paired bootstrap", len(a), None, "mean difference", *ends, found.reason)
    means = np.concatenate(drawn[1:])
    fewer = min(int((means <= 0).sum()), int((means >= 0).sum()))
    p_value = min(1.0, 2 * (1 + fewer) / (1 + len(means)))
    return PairedTest("paired bootstrap", len(a), p_value, "mean difference", *ends)


def _alike(method: str, n: int, effect: str) -> PairedTest:
    """Nothing speaks against the null where no pair differs; without any pair nothing is known."""
    return PairedTest(method, n, 1.0 if n else None, effect, reason="no pair differs" if n else "no pairs")


def _odds(p: float) -> float | None:
    return p / (1 - p) if p < 1 else None


def _pairs(ours: Sequence[float], theirs: Sequence[float]) -> tuple[Floats, Floats]:
    a, b = finite(ours), finite(theirs)
    if len(a) != len(b):
        raise ValueError(f"{len(a)} values against {len(b)}; pairs need one of each")
    return a, b
