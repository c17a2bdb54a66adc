"""Correlations of two columns, each with its interval."""

import math
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np

from llmops.stats.column import Floats, finite
from llmops.stats.interval import Interval, t_quantile, z_quantile
from llmops.stats.jackknife import jackknife_se

Kind = Literal["pearson", "spearman", "kendall"]

FISHER_SE: dict[Kind, Callable[[float, int], float]] = {
    "pearson": lambda value, n: math.sqrt(1 / (n - 3)),
    "spearman": lambda value, n: math.sqrt((1 + value**2 / 2) / (n - 3)),
    "kendall": lambda value, n: math.sqrt(0.437 / (n - 4)),
}
"""Standard error on Fisher's scale: Fisher 1921, Metron 1:3–32; Bonett and Wright 2000, Psychometrika
65:23–28; Fieller, Hartley and Pearson 1957, Biometrika 44:470–481."""

LEAST = 5
"""Pairs from which every standard error is defined."""


class Grouped(NamedTuple):
    """Correlations told within groups, and between the groups' means."""

    mean: Interval
    """Of the groups' own correlations."""
    undefined: int
    """Groups without one: too small, or all values the same."""


def correlation(
    ours: Sequence[float],
    theirs: Sequence[float],
    kind: Kind = "pearson",
    confidence: float = 0.95,
    clusters: Sequence[str] | None = None,
) -> Interval:
    """Estimate Pearson's r, Spearman's ρ or Kendall's τ-b by Fisher's transformation.

    tanh(atanh r ± z·se) with the se of ``FISHER_SE``. With ``clusters``, each pair's source, be it one of
    its own: tanh(atanh r ± t·se) with the jackknife's se, which asks neither for normal columns nor for
    columns without ties.

    Does not cover, without clusters: columns that are not normal (Pearson); ties, and |τ| from .8 on
    (Kendall); the interval is too narrow there.

    Raises:
        ValueError: a value is not finite, or the columns differ in length.
    """
    x, y = finite(ours), finite(theirs)
    if len(x) != len(y):
        raise ValueError(f"{len(x)} values against {len(y)}; pairs need one of each")
    if len(x) < 2:
        return Interval(None, len(x), reason="undefined: fewer than two pairs")
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return Interval(None, len(x), reason="undefined: all values of a column are the same")
    if clusters is None:
        return _around(_value(x, y, kind), len(x), kind, confidence)
    return _jackknifed(np.column_stack([x, y]), clusters, kind, confidence)


def _value(x: Floats, y: Floats, kind: Kind) -> float:
    from scipy import stats

    tell = {"pearson": stats.pearsonr, "spearman": stats.spearmanr, "kendall": stats.kendalltau}
    return float(tell[kind](x, y).statistic)


def _around(value: float, n: int, kind: Kind, confidence: float) -> Interval:
    if n < LEAST:
        return Interval(value, n, reason=f"fewer than {LEAST} pairs tell nothing of the spread")
    if abs(value) >= 1:
        return Interval(value, n, reason="no spread, so no telling how sure")
    reach = z_quantile(confidence) * FISHER_SE[kind](value, n)
    middle = math.atanh(value)
    return Interval(value, n, None, math.tanh(middle - reach), math.tanh(middle + reach), "fisher z")


def _jackknifed(pairs: Floats, clusters: Sequence[str], kind: Kind, confidence: float) -> Interval:
    value = _value(pairs[:, 0], pairs[:, 1], kind)
    if abs(value) >= 1:
        return Interval(value, len(pairs), reason="no spread, so no telling how sure")

    def scaled(rows: Floats) -> float:
        if np.ptp(rows[:, 0]) == 0 or np.ptp(rows[:, 1]) == 0:
            return math.nan
        found = _value(rows[:, 0], rows[:, 1], kind)
        return math.atanh(found) if abs(found) < 1 else math.nan

    se, freedom = jackknife_se(scaled, pairs, clusters)
    if not se > 0:
        return Interval(value, len(pairs), reason="rests on one source alone, so no telling how sure")
    middle, reach = math.atanh(value), t_quantile(confidence, freedom) * se
    low, high = math.tanh(middle - reach), math.tanh(middle + reach)
    return Interval(value, len(pairs), None, low, high, "fisher z, jackknife")


def within_groups(
    ours: Sequence[float],
    theirs: Sequence[float],
    groups: Sequence[str],
    kind: Kind = "pearson",
    confidence: float = 0.95,
) -> Grouped:
    """Average the correlation within each group, as papers on summaries do over documents.

    The interval is Student's t over the groups; a group whose correlation is undefined is left out.
    """
    from llmops.stats.spread import around_mean

    found = [
        correlation([ours[i] for i in rows], [theirs[i] for i in rows], kind).value
        for rows in _rows(groups).values()
    ]
    values = [value for value in found if value is not None]
    if not values:
        return Grouped(Interval(None, 0, reason="undefined within every group"), len(found))
    return Grouped(around_mean(finite(values), None, confidence), len(found) - len(values))


def between_groups(
    ours: Sequence[float],
    theirs: Sequence[float],
    groups: Sequence[str],
    kind: Kind = "pearson",
    confidence: float = 0.95,
) -> Interval:
    """Correlate the groups' means: the system level, where the groups are systems."""
    rows = _rows(groups).values()
    means = [[math.fsum(column[i] for i in each) / len(each) for each in rows] for column in (ours, theirs)]
    return correlation(means[0], means[1], kind, confidence)


def _rows(groups: Sequence[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for row, group in enumerate(groups):
        found.setdefault(group, []).append(row)
    return found
