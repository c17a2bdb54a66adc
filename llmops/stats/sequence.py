"""Confidence sequences: intervals of a mean that hold at every moment at once, however one stops."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from llmops.stats.column import finite

BOLDEST = 0.5
"""The largest bet, as a share of what may be staked: ½ or ¾ by the paper."""


class Span(NamedTuple):
    """Where a mean lies, after n values."""

    low: float
    high: float
    n: int


def confidence_sequence(values: Sequence[float], alpha: float, least: float, most: float) -> Span:
    """Return the interval after all values; those after each of them cover together in 1 − alpha of runs.

    The predictable plug-in empirical Bernstein sequence: Waudby-Smith & Ramdas 2024, J. R. Stat. Soc. B
    86:1–27, theorem 2, with the running intersection. Values come in the order in which they were drawn,
    at random; a decision may be looked for after each, and stop the drawing.

    Args:
        values: each between ``least`` and ``most``.

    Raises:
        ValueError: a value lies outside, or alpha not between 0 and 1.
    """
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is {alpha!r}; it must lie between 0 and 1")
    scaled = (finite(values) - least) / (most - least)
    if len(scaled) and not 0 <= scaled.min() <= scaled.max() <= 1:
        raise ValueError(f"a value lies outside {least:g} to {most:g}")
    if not len(scaled):
        return Span(least, most, 0)
    t = np.arange(1, len(scaled) + 1)
    mean = (0.5 + np.cumsum(scaled)) / (t + 1)
    variance = (0.25 + np.cumsum(np.square(scaled - mean))) / (t + 1)
    mean_before = np.concatenate(([0.5], mean[:-1]))
    variance_before = np.concatenate(([0.25], variance[:-1]))
    bets = np.minimum(np.sqrt(2 * math.log(2 / alpha) / (variance_before * t * np.log1p(t))), BOLDEST)
    spent = 4 * np.square(scaled - mean_before) * (-np.log1p(-bets) - bets) / 4
    staked = np.cumsum(bets)
    center = np.cumsum(bets * scaled) / staked
    reach = (math.log(2 / alpha) + np.cumsum(spent)) / staked
    low, high = max(0.0, float((center - reach).max())), min(1.0, float((center + reach).min()))
    low, high = min(low, high), max(low, high)  # they cross in less than alpha of runs
    return Span(least + low * (most - least), least + high * (most - least), len(scaled))
