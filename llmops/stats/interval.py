"""A confidence interval: what it holds, how far it reaches."""

import math
from statistics import NormalDist
from typing import NamedTuple


class Interval(NamedTuple):
    """A value with its confidence interval; what cannot be known is None, and ``reason`` says why."""

    value: float | None
    n: int
    """Examples that enter the value."""
    se: float | None = None
    """Standard error, in the value's unit; None where the sample cannot tell it."""
    low: float | None = None
    high: float | None = None
    method: str | None = None
    reason: str | None = None


def within(interval: Interval, least: float, most: float) -> Interval:
    """The interval, cut at what the value can be at all."""
    if interval.low is None or interval.high is None:
        return interval
    return interval._replace(low=max(least, interval.low), high=min(most, interval.high))


def z_quantile(confidence: float) -> float:
    """How many standard errors a two-sided normal interval reaches: 1.96 at 0.95."""
    return NormalDist().inv_cdf(0.5 + _checked(confidence) / 2)


def t_quantile(confidence: float, freedom: int) -> float:
    """How many standard errors a two-sided t interval reaches: 2.26 at 0.95 and 9 degrees of freedom."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.5 + _checked(confidence) / 2))


def _checked(confidence: float) -> float:
    if not 0 < confidence < 1 or math.isnan(confidence):
        raise ValueError(f"confidence is {confidence!r}; it must lie between 0 and 1")
    return confidence
