"""The sum of what is not measured yet, foreseen from what was measured of the like."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from llmops.stats.interval import t_quantile


class Foreseen(NamedTuple):
    """A sum with the limits of its prediction interval."""

    value: float
    low: float
    high: float


def predicted_sum(
    known: Sequence[tuple[float, float]], new: Sequence[float], confidence: float = 0.95
) -> Foreseen | None:
    """Return the sum of y over the x in ``new``, by the line that fits the known pairs (x, y) best.

    Ordinary least squares. The interval is that of a sum of new observations,
    ``t · s · √(k + k²/m + (Σx − k·x̄)²/Sxx)`` with m known pairs, k new x and t on m − 2 degrees of
    freedom (Draper and Smith, Applied Regression Analysis, 3rd ed. 1998, section 3.1, for a sum).
    Where all known x are alike, the line is their mean, on m − 1 degrees of freedom.

    Does not cover: new x far from the known ones, and known pairs of another kind than the new.

    Returns:
        None when fewer than three pairs are known.
    """
    count, wanted = len(known), len(new)
    if count < 3:
        return None
    mean_x, mean_y = (math.fsum(column) / count for column in zip(*known, strict=True))
    spread = math.fsum((x - mean_x) ** 2 for x, _ in known)
    slope = math.fsum((x - mean_x) * (y - mean_y) for x, y in known) / spread if spread else 0.0
    freedom = count - (2 if spread else 1)
    squares = math.fsum((y - mean_y - slope * (x - mean_x)) ** 2 for x, y in known)
    beyond = math.fsum(new) - wanted * mean_x
    value = wanted * mean_y + slope * beyond
    inflated = wanted + wanted**2 / count + (beyond**2 / spread if spread else 0.0)
    reach = t_quantile(confidence, freedom) * math.sqrt(squares / freedom * inflated)
    return Foreseen(value, value - reach, value + reach)
