"""Krippendorff's alpha: how far any number of raters agree, where not everyone rated everything."""

from collections import Counter
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from llmops.stats.bootstrap import Resampling, bootstrap
from llmops.stats.column import Floats
from llmops.stats.interval import Interval

Level = Literal["nominal", "ordinal", "interval"]

DEFAULT = Resampling()


def alpha(
    units: Sequence[Sequence[str]] | Sequence[Sequence[float]],
    level: Level = "nominal",
    how: Resampling = DEFAULT,
    confidence: float = 0.95,
) -> Interval:
    """Estimate Krippendorff's alpha with a percentile bootstrap over the units.

    1 − D_o/D_e over the coincidences of values within units: Krippendorff 2011, Computing
    Krippendorff's Alpha-Reliability. A unit with fewer than two values says nothing of agreement; it
    is left out, ``n`` counts the others.

    Args:
        units: each rated thing's values, in any order; who did not rate it has no value there.
        level: ``nominal``: values are the same or not; ``ordinal``: apart by how many values lie
            between; ``interval``: apart by their difference squared.
    """
    rated = Counter(tuple(sorted(unit)) for unit in units if len(unit) > 1)
    values = sorted({value for unit in rated for value in unit})
    if not rated:
        return Interval(None, 0, reason="undefined: nothing was rated by two")
    if len(values) < 2:
        n = sum(rated.values())
        return Interval(None, n, reason=f"undefined: every rating is {values[0]!r}")
    counts = np.array([[unit.count(value) for value in values] for unit in rated], dtype=np.float64)
    scale = np.array(values, dtype=np.float64) if level == "interval" else np.zeros(len(values))
    [found] = bootstrap(
        lambda drawn: _alphas(drawn, counts, scale, level),
        list(rated.values()),
        how.seed,
        how.resamples,
        confidence,
    )
    return found


def _alphas(drawn: NDArray[np.int64], counts: Floats, scale: Floats, level: Level) -> Floats:
    """(resamples × kinds of unit) how often each is drawn → (resamples × 1) alphas."""
    totals = drawn @ counts
    n = totals.sum(axis=1)
    raters = counts.sum(axis=1)
    if level == "nominal":
        within = (raters**2 - (counts**2).sum(axis=1)) / (raters - 1)
        observed = drawn @ within
        expected = (n**2 - (totals**2).sum(axis=1)) / (n - 1)
    else:
        # The ordinal distance (Σ n_g between two values)² is that of the values' mid-ranks, squared.
        places = scale[None, :] if level == "interval" else np.cumsum(totals, axis=1) - totals / 2
        sums, squares = places @ counts.T, places**2 @ counts.T
        observed = (drawn * (2 * (raters * squares - sums**2) / (raters - 1))).sum(axis=1)
        first, second = (totals * places).sum(axis=1), (totals * places**2).sum(axis=1)
        expected = 2 * (n * second - first**2) / (n - 1)
    undefined = np.full_like(observed, np.nan)
    found: Floats = 1 - np.divide(observed, expected, out=undefined, where=expected > 0)
    return found[:, None]
