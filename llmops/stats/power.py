"""How many examples a test or an interval asks for, or what it can see in those that there are."""

import math
from statistics import NormalDist

from llmops.stats.interval import z_quantile

POWER = 0.8
"""How often a study is to find what is there (Cohen 1988, Statistical Power Analysis, section 2.4)."""
HALVINGS = 60
"""Bisections of a range of at most 1: its last step is below the spacing of float64."""


def detectable_difference(variance: float, n: int, confidence: float = 0.95, power: float = POWER) -> float:
    """Return the smallest mean difference over n pairs that a two-sided test finds with this power.

    (z(1 − α/2) + z(power)) · √(variance/n): Miller 2024, arXiv 2411.00640, section 5.

    Args:
        variance: of one pair's difference. Of 0/1 values it is the share of pairs that differ less the
            squared difference.

    Raises:
        ValueError: the variance is below 0, or there are no pairs.
    """
    if variance < 0 or n < 1:
        raise ValueError(f"variance {variance!r} over {n} pairs; give 0 or more, and at least 1")
    return (z_quantile(confidence) + NormalDist().inv_cdf(power)) * math.sqrt(variance / n)


def detectable_share(
    discordant: float, n: int, confidence: float = 0.95, power: float = POWER
) -> float | None:
    """Return the smallest difference of two paired proportions that a two-sided test finds.

    The δ at which (z(1 − α/2) √ψ + z(power) √(ψ − δ²))² / δ² = n, with ψ the share of pairs that differ:
    Miettinen 1968, Biometrics 24:339–352; Connor 1987, Biometrics 43:207–211. None where even δ = ψ, all
    differing pairs on one side, is not found.
    """

    def found(delta: float) -> bool:
        needed = pairs_for_difference(delta, discordant, confidence, power)
        return needed is not None and needed <= n

    if not found(discordant):
        return None
    inside, outside = discordant, 0.0
    for _ in range(HALVINGS):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if found(middle) else (inside, middle)
    return inside


def pairs_for_difference(
    delta: float, discordant: float, confidence: float = 0.95, power: float = POWER
) -> int | None:
    """Return how many pairs of 0/1 values find a difference; the formula of `detectable_share`.

    None where the difference is 0, which nothing finds.
    """
    if delta == 0 or discordant <= 0:
        return None
    under = z_quantile(confidence) * math.sqrt(discordant)
    above = NormalDist().inv_cdf(power) * math.sqrt(max(0.0, discordant - delta**2))
    return _whole(((under + above) / delta) ** 2)


def pairs_to_clear(
    bound: float, expected: float, variance: float, confidence: float = 0.95, power: float = POWER
) -> int | None:
    """Return how many examples put a whole two-sided interval on the expected side of a bound.

    (z(1 − α/2) + z(power))² · variance / (expected − bound)²: for a margin of non-inferiority over pairs
    Liu, Hsueh, Hsieh and Chen 2002, Stat. Med. 21:231–245, section 4. None where the expected value is
    the bound, which no number tells from it.

    Args:
        bound: what is to be shown, such as −margin of a difference.
        expected: the value or difference that is taken to be true.
        variance: of one example's value, or of one pair's difference.

    Does not cover: variances near 0, as of values that are nearly all right, where intervals of
    proportions are wider than their normal approximation.
    """
    if expected == bound:
        return None
    reach = z_quantile(confidence) + NormalDist().inv_cdf(power)
    return _whole(reach**2 * variance / (expected - bound) ** 2)


def examples_for_width(half: float, variance: float, confidence: float = 0.95) -> int:
    """Return how many examples give a mean an interval that reaches ``half`` to each side.

    z(1 − α/2)² · variance / half².

    Raises:
        ValueError: the half is not above 0.
    """
    if half <= 0:
        raise ValueError(f"half is {half!r}; it must be above 0")
    return _whole(z_quantile(confidence) ** 2 * variance / half**2)


def _whole(examples: float) -> int:
    return max(2, math.ceil(round(examples, 6)))
