"""Logistic regression of a few columns, for slopes with intervals."""

import math
from collections.abc import Sequence

import numpy as np

from llmops.stats.column import Floats, finite
from llmops.stats.interval import Interval, z_quantile

STEPS = 50
CLOSE = 1e-10
FAR = 30.0
"""A log-odds that no finite sample supports: the columns separate the outcomes."""


def length_slope(
    verdicts: Sequence[bool],
    lengths: Sequence[float],
    labels: Sequence[float],
    confidence: float = 0.95,
) -> Interval:
    """Estimate how the odds of a verdict move with length, among answers that people label alike.

    The coefficient of ``lengths`` in logit P(verdict) = a + b·length + c·label, by maximum likelihood
    with Wald's interval (McCullagh and Nelder 1989, Generalized Linear Models, chapter 4). 0: length
    does not matter; log 2 ≈ 0.69: each unit of length doubles the odds.

    Args:
        lengths: the answer's length, or for a pair the difference, in the unit of the slope.
        labels: what people say: 1 or 0, or a place on a scale.
    """
    outcome, length, label = (finite(column) for column in (verdicts, lengths, labels))
    if np.ptp(length) == 0 if len(length) else True:
        return Interval(None, len(length), reason="undefined: all answers are of the same length")
    if np.ptp(outcome) == 0:
        return Interval(None, len(length), reason="undefined: every verdict is the same")
    columns = [np.ones_like(length), length] + ([label] if np.ptp(label) > 0 else [])
    fitted = _fit(np.column_stack(columns), outcome)
    if fitted is None:
        return Interval(None, len(length), reason="undefined: length and label tell every verdict")
    value, se = fitted
    reach = z_quantile(confidence) * se
    return Interval(value, len(length), se, value - reach, value + reach, "wald")


def _fit(design: Floats, outcome: Floats) -> tuple[float, float] | None:
    """Return the second column's coefficient and its standard error; None where there is no maximum."""
    scale = design.std(axis=0)
    scale[0] = 1.0
    scaled = design / scale
    weights = np.zeros(design.shape[1])
    for _ in range(STEPS):
        share = 1 / (1 + np.exp(-(scaled @ weights)))
        information = scaled.T @ (scaled * (share * (1 - share))[:, None])
        if np.linalg.cond(information) > 1e12:
            return None
        step = np.linalg.solve(information, scaled.T @ (outcome - share))
        weights += step
        if np.abs(scaled @ weights).max() > FAR:
            return None
        if np.abs(step).max() < CLOSE:
            variance = np.linalg.inv(information)[1, 1]
            return float(weights[1] / scale[1]), float(math.sqrt(variance) / scale[1])
    return None
