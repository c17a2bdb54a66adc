"""How a verdict moves with an answer's length, among answers that people label alike."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from llmops.stats.column import Floats, finite
from llmops.stats.interval import Interval, t_quantile, z_quantile
from llmops.stats.spread import sources

STEPS = 50
CLOSE = 1e-10
FAR = 30.0
"""A log-odds that no finite sample supports: the columns separate the outcomes."""


class _Fit(NamedTuple):
    """A regression at its maximum, its columns scaled by their spread."""

    slope: float
    residuals: Floats
    bread: Floats
    """Inverse of the information."""
    design: Floats
    scale: float
    """Of the slope's column."""


def length_slope(
    verdicts: Sequence[float],
    lengths: Sequence[float],
    labels: Sequence[float],
    confidence: float = 0.95,
    clusters: Sequence[str] | None = None,
) -> Interval:
    """Estimate how a verdict moves with length, among answers that people label alike.

    The coefficient b of a + b·length + c·label. Verdicts of 0 and 1: of their log-odds, by maximum
    likelihood with Wald's interval (McCullagh and Nelder 1989, Generalized Linear Models, chapter 4); log 2
    ≈ 0.69 is twice the odds for each unit of length. Other verdicts: of their mean, by least squares. 0:
    length does not matter. Clustered verdicts, and all by least squares, have the sandwich's standard error
    (Liang and Zeger 1986, Biometrika 73:13–22) times G/(G−1), with t on G − 1 degrees of freedom.

    Args:
        lengths: the answer's length, or for a pair the difference, in the unit of the slope.
        labels: what people say: 1 or 0, or a place on a scale.
        clusters: what each verdict's answer shares with others; None: each stands for itself.
    """
    outcome, length, label = (finite(column) for column in (verdicts, lengths, labels))
    n = len(outcome)
    if n == 0 or np.ptp(length) == 0:
        return Interval(None, n, reason="undefined: all answers are of the same length")
    if np.ptp(outcome) == 0:
        return Interval(None, n, reason="undefined: every verdict is the same")
    columns = [np.ones_like(length), length] + ([label] if np.ptp(label) > 0 else [])
    design, binary = np.column_stack(columns), set(np.unique(outcome)) == {0.0, 1.0}
    if n <= design.shape[1]:
        return Interval(None, n, reason=f"undefined: {n} verdicts for {design.shape[1]} coefficients")
    fitted = (_logistic if binary else _linear)(design, outcome)
    if fitted is None:
        return Interval(None, n, reason="undefined: length and label tell every verdict, or each other")
    shared = sources(clusters, n)
    if binary and shared is None:
        return _around(fitted, math.sqrt(fitted.bread[1, 1]), z_quantile(confidence), "wald")
    return _sandwiched(fitted, list(range(n)) if shared is None else shared, confidence)


def _scaled(design: Floats) -> tuple[Floats, float]:
    scale = design.std(axis=0)
    scale[0] = 1.0
    return design / scale, float(scale[1])


def _singular(information: Floats) -> bool:
    return bool(np.linalg.cond(information) > 1e12)


def _linear(design: Floats, outcome: Floats) -> _Fit | None:
    scaled, scale = _scaled(design)
    if _singular(scaled.T @ scaled):
        return None
    bread = np.asarray(np.linalg.inv(scaled.T @ scaled), dtype=np.float64)
    weights = bread @ (scaled.T @ outcome)
    residuals = outcome - scaled @ weights
    if np.abs(residuals).max() < CLOSE:
        return None
    return _Fit(float(weights[1]), residuals, bread, scaled, scale)


def _logistic(design: Floats, outcome: Floats) -> _Fit | None:
    scaled, scale = _scaled(design)
    weights = np.zeros(design.shape[1])
    for _ in range(STEPS):
        share = 1 / (1 + np.exp(-(scaled @ weights)))
        information = scaled.T @ (scaled * (share * (1 - share))[:, None])
        if _singular(information):
            return None
        step = np.linalg.solve(information, scaled.T @ (outcome - share))
        weights += step
        if np.abs(scaled @ weights).max() > FAR:
            return None
        if np.abs(step).max() < CLOSE:
            bread = np.asarray(np.linalg.inv(information), dtype=np.float64)
            return _Fit(float(weights[1]), outcome - share, bread, scaled, scale)
    return None


def _sandwiched(fitted: _Fit, clusters: Sequence[object], confidence: float) -> Interval:
    _, place = np.unique(np.asarray(clusters), return_inverse=True)
    sums = np.zeros((int(place.max()) + 1, fitted.design.shape[1]))
    np.add.at(sums, place, fitted.design * fitted.residuals[:, None])
    groups = len(sums)
    if groups < 2:
        return Interval(
            fitted.slope / fitted.scale, len(place), reason="one cluster tells nothing of the spread"
        )
    variance = fitted.bread @ (sums.T @ sums) @ fitted.bread * groups / (groups - 1)
    return _around(fitted, math.sqrt(variance[1, 1]), t_quantile(confidence, groups - 1), "sandwich")


def _around(fitted: _Fit, se: float, reach: float, method: str) -> Interval:
    value, se = fitted.slope / fitted.scale, se / fitted.scale
    return Interval(value, len(fitted.residuals), se, value - reach * se, value + reach * se, method)
