"""Decisions on a family of claims, corrected for how many there are."""

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from llmops.stats.column import Floats, finite
from llmops.stats.interval import z_quantile


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the adjusted p-values by Holm's step-down method, in the order given.

    The k-th smallest of m becomes the largest of (m − j + 1)·p₍ⱼ₎ over j ≤ k, at most 1: Holm 1979,
    Scand. J. Stat. 6:65–70. Claims whose adjusted p-value is at most α hold all together with
    probability 1 − α at least, however they depend on each other.

    >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03, 0.005])]
    [0.03, 0.06, 0.06, 0.02]

    Raises:
        ValueError: a value is no probability.
    """
    ordered, order = _ordered(p_values)
    factors = len(ordered) - np.arange(len(ordered))
    return _placed(np.minimum(1.0, np.maximum.accumulate(factors * ordered)), order)


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Return the adjusted p-values by Benjamini and Hochberg's step-up method, in the order given.

    The k-th smallest of m becomes the least of (m / j)·p₍ⱼ₎ over j ≥ k: Benjamini & Hochberg 1995,
    J. R. Stat. Soc. B 57:289–300. Among the claims whose adjusted p-value is at most q, a share of q
    at most is false on average; the claims must be independent or positively dependent.

    >>> [round(p, 3) for p in benjamini_hochberg([0.01, 0.04, 0.03, 0.005])]
    [0.02, 0.04, 0.04, 0.02]

    Raises:
        ValueError: a value is no probability.
    """
    ordered, order = _ordered(p_values)
    factors = len(ordered) / np.arange(1, len(ordered) + 1)
    return _placed(np.minimum.accumulate((factors * ordered)[::-1])[::-1], order)


def p_of_interval(value: float, low: float, high: float, confidence: float = 0.95) -> float:
    """Return the two-sided p-value of a difference of 0 that an interval around it tells.

    The end that faces 0 is taken for z standard errors away, so p = 2·Φ(−z·|value| / (end to value)):
    Altman & Bland 2011, BMJ 343:d2304, here by the near half of an interval that may be lopsided. It
    is 1 − confidence exactly where that end is 0; far from there it is as normal as the estimate is.

    >>> round(p_of_interval(1.96, 0.0, 3.92), 3)
    0.05
    """
    if value == 0:
        return 1.0
    reach = value - low if value > 0 else high - value
    if reach <= 0:
        return 0.0
    return math.erfc(z_quantile(confidence) * abs(value) / reach / math.sqrt(2))  # exact far out, too


def step_down(claims: int, settled: Callable[[int, int], bool]) -> list[int]:
    """Return among how many comparisons each claim was last tested by Holm's method, with intervals.

    Every claim is first held to the interval of confidence 1 − α/m. Those that it settles leave, and
    the m' that remain are held to that of 1 − α/m', until none leaves. A claim's p-value is α at the
    interval that just settles it, so this is `holm`; where intervals are all there is, it needs no
    p-value.

    >>> p_values = [0.01, 0.04, 0.03, 0.005]
    >>> step_down(4, lambda claim, comparisons: p_values[claim] <= 0.05 / comparisons)
    [4, 2, 2, 4]

    Args:
        settled: (claim, k) → the interval of confidence 1 − α/k settles the claim; true at k where it
            is at any greater.
    """
    tested, open_ = [0] * claims, set(range(claims))
    while open_:
        among = len(open_)
        for claim in open_:
            tested[claim] = among
        left = {claim for claim in open_ if not settled(claim, among)}
        if left == open_:
            break
        open_ = left
    return tested


def _ordered(p_values: Sequence[float]) -> tuple[Floats, NDArray[np.intp]]:
    values = finite(p_values)
    if ((values < 0) | (values > 1)).any():
        where = int(np.flatnonzero((values < 0) | (values > 1))[0])
        raise ValueError(f"p_values[{where}] is {float(values[where])!r}; a probability lies between 0 and 1")
    order = np.argsort(values, kind="stable")
    return values[order], order


def _placed(adjusted: Floats, order: NDArray[np.intp]) -> list[float]:
    placed = np.empty_like(adjusted)
    placed[order] = adjusted
    return [float(value) for value in placed]
