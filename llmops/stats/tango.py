"""The score test of a difference between two paired proportions."""

import math
from statistics import NormalDist

from llmops.stats.interval import Interval, z_quantile

HALVINGS = 60
"""Bisections of a range of 2: its last step is below the spacing of float64 around 1."""


def tango(fixed: int, broke: int, n: int, confidence: float = 0.95) -> Interval:
    """Estimate the difference of two paired proportions by the score interval.

    All δ that the score test does not reject, found by bisection: Tango 1998, Stat. Med. 17:891–908.
    ``se`` is √((fixed + broke − (fixed − broke)²/n))/n, None where no pair differs.
    """
    if n < 1:
        return Interval(None, n, reason="no pairs")
    value = (fixed - broke) / n
    if n < 2:
        return Interval(value, n, reason="one pair tells nothing of the spread")
    high = _upper(fixed, broke, n, z_quantile(confidence))
    low = -_upper(broke, fixed, n, z_quantile(confidence))
    se = math.sqrt(max(0.0, fixed + broke - (fixed - broke) ** 2 / n)) / n or None
    return Interval(value, n, se, low, high, "tango")


def non_inferiority(fixed: int, broke: int, n: int, margin: float) -> float:
    """Return the one-sided p-value of "ours is worse by the margin or more", from paired 0/1 values.

    The score test with the nuisance proportion estimated under the null: Tango 1998; Liu, Hsueh,
    Hsieh & Chen 2002, Stat. Med. 21:231–245. It is at most α/2 just where the interval of ``tango``
    with confidence 1 − α lies above −margin.

    Does not cover: fewer than some 20 pairs, where the normal distribution is rough.

    Raises:
        ValueError: the margin is not between 0 and 1.
    """
    if not 0 <= margin < 1:
        raise ValueError(f"margin is {margin!r}; it must be 0 or more, and below 1")
    return NormalDist().cdf(-_z(fixed, broke, n, -margin))


def equivalence(fixed: int, broke: int, n: int, margin: float) -> float:
    """Return the p-value of "ours differs by the margin or more", the larger of two one-sided tests.

    Schuirmann 1987, J. Pharmacokinet. Biopharm. 15:657–680, with the score test on each side.
    """
    return max(non_inferiority(fixed, broke, n, margin), non_inferiority(broke, fixed, n, margin))


def _upper(fixed: int, broke: int, n: int, reach: float) -> float:
    """Return the largest difference that lies within ``reach`` standard errors, estimated under it."""
    inside, outside = (fixed - broke) / n, 1.0
    for _ in range(HALVINGS):
        middle = (inside + outside) / 2
        if _z(fixed, broke, n, middle) >= -reach:
            inside = middle
        else:
            outside = middle
    return outside


def _z(fixed: int, broke: int, n: int, delta: float) -> float:
    """Return how many standard errors, estimated under the difference ``delta``, the pairs are above it."""
    b = (2 * n - fixed + broke) * delta - fixed - broke
    c = -broke * delta * (1 - delta)
    only_theirs = max(0.0, (math.sqrt(max(0.0, b * b - 8 * n * c)) - b) / (4 * n))
    variance = n * (2 * only_theirs + delta * (1 - delta))
    distance = fixed - broke - n * delta
    if variance <= 0:
        return math.copysign(math.inf, distance) if distance else 0.0
    return distance / math.sqrt(variance)
