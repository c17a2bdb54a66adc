"""Krippendorff's alpha: how far any number of raters agree, where not everyone rated everything."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from llmops.stats.bootstrap import Resampling, bootstrap
from llmops.stats.column import Floats
from llmops.stats.interval import Interval
from llmops.stats.spread import sources

Level = Literal["nominal", "ordinal", "interval"]

DEFAULT = Resampling()


def alpha(
    units: Sequence[Sequence[str]] | Sequence[Sequence[float]],
    level: Level = "nominal",
    how: Resampling = DEFAULT,
    confidence: float = 0.95,
    clusters: Sequence[str] | None = None,
) -> Interval:
    """Estimate Krippendorff's alpha with a percentile bootstrap over the units.

    1 − D_o/D_e over the coincidences of values within units: Krippendorff 2011, Computing
    Krippendorff's Alpha-Reliability. A unit with fewer than two values says nothing of agreement; it
    is left out, ``n`` counts the others.

    Args:
        units: each rated thing's values, in any order; who did not rate it has no value there.
        level: ``nominal``: values are the same or not; ``ordinal``: apart by how many values lie
            between; ``interval``: apart by their difference squared.
        clusters: each unit's source; units of one are drawn together. None: each stands for itself.
        clusters: each unit's source; units of one are drawn together. None: each stands for itself.
    """
    told = [place for place, unit in enumerate(units) if len(unit) > 1]
    shared = sources([clusters[place] for place in told] if clusters else None, len(told))
    kinds = [tuple(sorted(units[place])) for place in told]
    values = sorted({value for unit in kinds for value in unit})
    if not told:
        return Interval(None, 0, reason="undefined: nothing was rated by two")
    if len(values) < 2:
        return Interval(None, len(told), reason=f"undefined: every rating is {values[0]!r}")
    rated = sorted(set(kinds))
    counts = np.array([[unit.count(value) for value in values] for unit in rated], dtype=np.float64)
    scale = np.array(values, dtype=np.float64) if level == "interval" else np.zeros(len(values))
    drawn = _drawn(kinds, rated, shared)
    [found] = bootstrap(
        lambda each: _alphas(each @ drawn, counts, scale, level),
        np.ones(len(drawn), dtype=np.int64) if shared else [kinds.count(kind) for kind in rated],
        how.seed,
        how.resamples,
        confidence,
    )
    return found._replace(
        n=len(told), method=found.method and ("clustered " if shared else "") + found.method
    )


def _drawn(kinds: list[Any], rated: list[Any], shared: Sequence[str] | None) -> NDArray[np.int64]:
    """(sources × kinds of unit): how often a source has each; without sources, a kind is one of its own."""
    if shared is None:
        return np.eye(len(rated), dtype=np.int64)
    column, row = (
        {kind: place for place, kind in enumerate(rated)},
        {each: i for i, each in enumerate(sorted(set(shared)))},
    )
    found = np.zeros((len(row), len(rated)), dtype=np.int64)
    for kind, each in zip(kinds, shared, strict=True):
        found[row[each], column[kind]] += 1
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
