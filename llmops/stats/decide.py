"""What an interval says about a bound: pass, fail, or inconclusive."""

import math

from llmops.records import Outcome


def decide(
    low: float | None,
    high: float | None,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
) -> Outcome:
    """Pass when the whole interval is on the right side, fail when it is on the wrong side.

    Otherwise inconclusive. The bound itself is on the right side. A complete count is
    ``low == high``; a limit that is None is unbounded.

    >>> decide(0.81, 0.92, at_least=0.8), decide(0.7, 0.79, at_least=0.8), decide(0.7, 0.9, at_least=0.8)
    ('pass', 'fail', 'inconclusive')
    >>> decide(3.0, 3.0, at_most=3.0)
    'pass'

    Raises:
        ValueError: not exactly one bound is given, a number is NaN, or low is above high.
    """
    below = -math.inf if low is None else low
    above = math.inf if high is None else high
    if at_least is None:
        if at_most is None:
            raise ValueError("give at_least or at_most")
        return decide(-above, -below, at_least=-at_most)
    if at_most is not None:
        raise ValueError("give at_least or at_most, not both")
    if not below <= above or math.isnan(at_least):
        raise ValueError(f"no interval to decide on: {low!r} to {high!r} against {at_least!r}")
    if below >= at_least:
        return "pass"
    return "fail" if above < at_least else "inconclusive"


def examples_to_decide(
    value: float | None, low: float | None, high: float | None, n: int, bound: float
) -> int | None:
    """How many examples in all would decide about as often as not, at the present value and spread.

    An interval narrows with √n, so its limit that faces the bound reaches it at
    n · (half / distance)², rounded up: ``half`` from the value to that limit, ``distance`` from
    the value to the bound. It is n when the interval is clear of the bound, and None when the
    value sits on the bound or the limit is unknown: no number of examples is known to decide then.

    >>> examples_to_decide(value=0.85, low=0.75, high=0.95, n=50, bound=0.8)
    200
    """
    limit = None if value is None else (low if value > bound else high)
    if value is None or limit is None or value == bound:
        return None
    ratio = abs(value - limit) / abs(value - bound)
    needed = n * ratio * ratio
    return max(n, math.ceil(round(needed, 6))) if math.isfinite(needed) else None
