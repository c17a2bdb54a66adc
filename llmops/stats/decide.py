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
    ``low == high``; a limit that is None is unbounded. Between two bounds is a test of equivalence,
    whose two one-sided tests are the interval's two limits.

    >>> decide(0.81, 0.92, at_least=0.8), decide(0.7, 0.79, at_least=0.8), decide(0.7, 0.9, at_least=0.8)
    ('pass', 'fail', 'inconclusive')
    >>> decide(3.0, 3.0, at_most=3.0), decide(-0.01, 0.02, at_least=-0.02, at_most=0.02)
    ('pass', 'pass')

    Raises:
        ValueError: no bound is given, a number is NaN, or a low one is above a high one.
    """
    if at_least is None and at_most is None:
        raise ValueError("give at_least or at_most")
    below, least = (-math.inf if limit is None else limit for limit in (low, at_least))
    above, most = (math.inf if limit is None else limit for limit in (high, at_most))
    if not (below <= above and least <= most):
        raise ValueError(f"no interval to decide on: {low!r} to {high!r} against {at_least!r} to {at_most!r}")
    if below >= least and above <= most:
        return "pass"
    return "fail" if above < least or below > most else "inconclusive"


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
