"""Tests of two applications that were asked the same examples, each with its effect size."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from llmops.stats.column import Floats, finite

RESAMPLES = 10_000
DRAWS_AT_ONCE = 4_000_000
"""Numbers held in memory at a time: 32 MB of them as float64."""


class Test(NamedTuple):
    """A two-sided test's result; what cannot be known is None, and ``reason`` says why."""

    __test__ = False  # no test of pytest's

    method: str
    n: int
    """Pairs."""
    p_value: float | None = None
    effect: float | None = None
    effect_name: str = ""
    reason: str | None = None


def mcnemar(ours: Sequence[float], theirs: Sequence[float]) -> Test:
    """Test whether two applications are right equally often, exactly.

    Of the pairs in which one is right and the other wrong, each side gets half under the null: a
    two-sided binomial test (McNemar 1947, Psychometrika 12:153–157). The effect is the odds ratio
    fixed / broke, None where nothing broke.

    Raises:
        ValueError: a value is not 0 or 1, or the columns differ in length.
    """
    from scipy.stats import binomtest

    a, b = _pairs(ours, theirs)
    if not np.isin(np.concatenate([a, b]), (0.0, 1.0)).all():
        raise ValueError("McNemar's test compares values of 0 and 1; use wilcoxon or sign_flips for others")
    fixed, broke = int((a > b).sum()), int((a < b).sum())
    if fixed + broke == 0:
        return Test("mcnemar", len(a), None, None, "odds ratio", "no pair differs")
    p_value = float(binomtest(fixed, fixed + broke, 0.5).pvalue)
    return Test("mcnemar", len(a), p_value, fixed / broke if broke else None, "odds ratio")


def wilcoxon(ours: Sequence[float], theirs: Sequence[float]) -> Test:
    """Test whether differences lie symmetrically around 0, by their signed ranks.

    Wilcoxon 1945, Biometrics Bull. 1:80–83; equal pairs are left out, ties share a rank. The effect
    is the matched-pairs rank-biserial correlation, (R₊ − R₋)/(R₊ + R₋): Kerby 2014, Compr. Psychol. 3.

    Raises:
        ValueError: a value is not finite, or the columns differ in length.
    """
    from scipy.stats import rankdata
    from scipy.stats import wilcoxon as signed_rank

    a, b = _pairs(ours, theirs)
    differences = (a - b)[a != b]
    if len(differences) == 0:
        return Test("wilcoxon", len(a), None, None, "rank-biserial correlation", "no pair differs")
    ranks = rankdata(np.abs(differences))
    effect = float((ranks * np.sign(differences)).sum() / ranks.sum())
    return Test(
        "wilcoxon", len(a), float(signed_rank(differences).pvalue), effect, "rank-biserial correlation"
    )


def sign_flips(ours: Sequence[float], theirs: Sequence[float], seed: int, resamples: int = RESAMPLES) -> Test:
    """Test whether the mean difference is 0 by flipping the differences' signs at random.

    Under the null each pair's two values could as well be swapped. With k of B random swaps at
    least as far from 0 as what was seen, p = (1 + k)/(1 + B), which is never 0: Phipson & Smyth
    2010, Stat. Appl. Genet. Mol. Biol. 9:39. The effect is Cohen's d_z, the mean difference over the
    standard deviation of the differences, None where they are all the same.

    Raises:
        ValueError: a value is not finite, or the columns differ in length.
    """
    a, b = _pairs(ours, theirs)
    differences = a - b
    moving = differences[differences != 0]
    if len(moving) == 0:
        return Test("sign flips", len(a), None, None, "d_z", "no pair differs")
    seen = abs(float(moving.sum())) * (1 - 1e-12)  # sums in another order differ in their last bits
    farther = sum(int((np.abs(sums) >= seen).sum()) for sums in _flipped(moving, seed, resamples))
    spread = float(differences.std(ddof=1)) if len(a) > 1 else 0.0
    effect = float(differences.mean()) / spread if spread > 0 else None
    return Test("sign flips", len(a), (1 + farther) / (1 + resamples), effect, "d_z")


def _flipped(moving: Floats, seed: int, resamples: int) -> "list[Floats]":
    generator = np.random.default_rng(seed)
    step = max(1, DRAWS_AT_ONCE // len(moving))
    sizes = [min(step, resamples - start) for start in range(0, resamples, step)]
    return [
        (generator.integers(0, 2, size=(size, len(moving)), dtype=np.int8) * 2.0 - 1.0) @ moving
        for size in sizes
    ]


def _pairs(ours: Sequence[float], theirs: Sequence[float]) -> tuple[Floats, Floats]:
    a, b = finite(ours), finite(theirs)
    if len(a) != len(b):
        raise ValueError(f"{len(a)} values against {len(b)}; pairs need one of each")
    return a, b
