"""Intervals of a mean that hold at every number of examples, however one decides when to stop."""

import math
from collections.abc import Sequence

import numpy as np

from llmops.stats.column import Floats, finite
from llmops.stats.interval import Interval

METHOD = "confidence sequence"
TRUNCATION = 0.5
"""The most of its capital that a bet puts at stake: c of Waudby-Smith and Ramdas."""
HALVINGS = 40
"""Bisections of a range of 1: the last step is 10⁻¹², which is given away to the wider side."""


def confidence_sequence(
    values: Sequence[float], least: float = 0.0, most: float = 1.0, confidence: float = 0.95
) -> Interval:
    """Estimate the mean of values between two bounds, looked at after each of them.

    The intervals after 1, 2, 3, … values together hold the mean of the population with this
    confidence, so that it holds of the one at which someone stopped, whatever made them stop. It is
    the set of means m against which no bet on the values' order has won 1/α: hedged capital
    processes K⁺(m) = ½ Π (1 + λ⁺ (x − m)) and K⁻(m) with bets predicted by the spread so far
    (Waudby-Smith & Ramdas 2024, J. R. Stat. Soc. B 86:1–27, theorem 3, equation 26), intersected over
    all numbers of values, so that it never widens.

    Args:
        values: in the order in which they were drawn, each independent of those before it.
        least: no value can be below it; ``most``: none above. Of paired differences −1 and 1.

    Does not cover: values that share a source, and orders that depend on the values. The mean itself,
    at a stop that depended on it, lies a little too far out.

    Raises:
        ValueError: a value is not finite, or outside of the bounds.
    """
    column = finite(values)
    if len(column) == 0:
        return Interval(None, 0, reason="no values")
    if column.min() < least or column.max() > most:
        raise ValueError(f"values lie between {column.min()} and {column.max()}, not {least} and {most}")
    unit = (column - least) / (most - least)
    low, high = _end(unit, confidence), 1 - _end(1 - unit, confidence)
    n, value = len(column), float(column.mean())
    se = float(column.std(ddof=1)) / math.sqrt(n) if n > 1 else 0.0
    width = most - least
    return Interval(value, n, se or None, least + width * low, least + width * high, METHOD)


def _end(unit: Floats, confidence: float) -> float:
    """Return the lower end: the largest mean that bets on more than it have beaten by now.

    The capital falls where the mean rises, in every factor, so bisection finds where it passes 1/α.
    """
    bets = _bets(unit, 1 - confidence)
    wanted = math.log(2 / (1 - confidence))
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        stakes = np.minimum(bets, TRUNCATION / middle)
        capital = np.cumsum(np.log1p(stakes * (unit - middle)))
        low, high = (middle, high) if capital.max() >= wanted else (low, middle)
    return low


def _bets(unit: Floats, alpha: float) -> Floats:
    """(n,) bets, each of the values before it only: √(2 log(2/α) / (σ̂² t log(t + 1)))."""
    t = np.arange(1, len(unit) + 1)
    means = (0.5 + np.cumsum(unit)) / (t + 1)
    variances = (0.25 + np.cumsum(np.square(unit - means))) / (t + 1)
    before = np.concatenate([[0.25], variances[:-1]])
    found: Floats = np.sqrt(2 * math.log(2 / alpha) / (before * t * np.log(t + 1)))
    return found
