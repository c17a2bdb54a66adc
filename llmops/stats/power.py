"""How many examples a decision needs, and the smallest difference that so many can see."""

import math
from statistics import NormalDist

from llmops.stats.interval import z_quantile

POWER = 0.8
"""How often the decision is reached where it is due, by convention (Cohen 1988)."""


def smallest_difference(sd: float, n: int, confidence: float = 0.95, power: float = POWER) -> float:
    """Return the smallest mean difference that n examples tell from 0 in a share ``power`` of runs.

    (z₁₋α/₂ + z_power) · sd / √n: Miller 2024, arXiv 2411.00640, section 5; the normal approximation.

    Args:
        sd: standard deviation of what an example adds: of the paired differences where runs are paired,
            √n times the clustered standard error where examples share sources.

    Raises:
        ValueError: n is below 1, or sd below 0.
    """
    if n < 1:
        raise ValueError(f"n is {n}; there must be an example")
    return _reach(sd, confidence, power) / math.sqrt(n)


def examples_for(sd: float, distance: float, confidence: float = 0.95, power: float = POWER) -> int | None:
    """Return how many examples decide a bound that the truth is ``distance`` away from; None at the bound.

    ((z₁₋α/₂ + z_power) · sd / distance)²: the two-sided interval excludes the bound in a share ``power``
    of runs. For non-inferiority by a margin the distance is margin + true difference (Chow, Shao, Wang &
    Lokhnygina 2017, Sample Size Calculations in Clinical Research, chapter 3).

    Raises:
        ValueError: sd is below 0.
    """
    reach = _reach(sd, confidence, power)
    return max(2, math.ceil((reach / distance) ** 2)) if distance else None


def examples_for_equivalence(
    sd: float, margin: float, confidence: float = 0.95, power: float = POWER
) -> int | None:
    """Return how many examples show that two equal runs differ by less than the margin on both sides.

    ((z₁₋α/₂ + z₍₁₊power₎/₂) · sd / margin)²: both ends of the interval must lie inside (Chow et al. 2017,
    chapter 3, at a true difference of 0).
    """
    return examples_for(sd, margin, confidence, (1 + power) / 2)


def _reach(sd: float, confidence: float, power: float) -> float:
    if sd < 0:
        raise ValueError(f"sd is {sd}; it cannot be below 0")
    return (z_quantile(confidence) + NormalDist().inv_cdf(power)) * sd
