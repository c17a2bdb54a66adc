"""A quantile of a column with its interval."""

from collections.abc import Sequence

import numpy as np

from llmops.stats.column import finite
from llmops.stats.interval import Interval


def quantile(values: Sequence[float], q: float, confidence: float = 0.95) -> Interval:
    """Estimate a quantile, e.g. the 0.95 quantile of latencies, without assuming a distribution.

    The value interpolates linearly between order statistics (Hyndman & Fan 1996, type 7). The
    limits are the order statistics x_(l) and x_(u) with P(B < l) ≤ α/2 and P(B ≥ u) ≤ α/2 for
    B ~ Binomial(n, q) (Conover 1999, section 3.2): they cover at least ``confidence``. A limit
    that n values cannot give is None: a 0.95 quantile needs 72 values for its upper limit.

    Raises:
        ValueError: a value is not finite, or q is not between 0 and 1.
    """
    if not 0 < q < 1:
        raise ValueError(f"q is {q!r}; it must lie between 0 and 1")
    ordered = np.sort(finite(values))
    n = len(ordered)
    if n == 0:
        return Interval(None, 0, reason="no values")
    lower, upper = _ranks(n, q, confidence)
    low = float(ordered[lower - 1]) if lower >= 1 else None
    high = float(ordered[upper - 1]) if upper <= n else None
    missing = [name for name, limit in (("lower", low), ("upper", high)) if limit is None]
    reason = f"{n} values are too few for the {' and '.join(missing)} limit" if missing else None
    method = "order statistics" if len(missing) < 2 else None
    return Interval(float(np.quantile(ordered, q)), n, None, low, high, method, reason)


def _ranks(n: int, q: float, confidence: float) -> tuple[int, int]:
    from scipy.special import bdtr

    tail = (1 - confidence) / 2
    at_most = bdtr(np.arange(n, dtype=np.float64), n, q)  # P(B ≤ k) for k = 0 … n−1
    lower = int(np.searchsorted(at_most, tail, side="right"))
    return lower, int(np.searchsorted(at_most, 1 - tail, side="left")) + 1
