"""Student's t around a mean, clustered where examples share a source."""

import math
from collections.abc import Sequence

import numpy as np

from llmops.stats.column import Floats
from llmops.stats.interval import Interval, t_quantile

NO_SPREAD = 1e-12
"""A standard error below this share of the largest value is rounding, not spread."""


def around_mean(values: Floats, clusters: Sequence[str] | None, confidence: float) -> Interval:
    """Estimate a mean by Student's t, clustered when clusters are given; values must not be empty."""
    value, n = float(values.mean()), len(values)
    units = n if clusters is None else len(set(clusters))
    what = "value" if clusters is None else "cluster"
    if units < 2:
        return Interval(value, n, reason=f"one {what} tells nothing of the spread")
    se = clustered_se(values, range(n) if clusters is None else clusters)
    if se <= NO_SPREAD * float(np.abs(values).max(initial=0.0)):
        return Interval(value, n, reason=f"no spread between the {units} {what}s, so no telling how sure")
    reach = t_quantile(confidence, units - 1) * se
    method = "t" if clusters is None else "clustered t"
    return Interval(value, n, se, value - reach, value + reach, method)


def clustered_se(values: Floats, clusters: Sequence[object]) -> float:
    """Standard error of a mean whose examples are alike within a cluster.

    √( G/(G−1) · Σ_c (Σ_{i∈c} (s_i − s̄))² ) / n, with G ≥ 2 clusters. This is the clustered standard
    error of Miller 2024 (arXiv 2411.00640, section 2.2) with one deviation: the whole sum carries
    the small-sample factor G/(G−1), where Miller has n/(n−1) on its diagonal only. With one
    example a cluster both are the plain standard error of a mean.
    """
    _, index = np.unique(np.asarray(clusters), return_inverse=True)
    sums = np.bincount(index, weights=values - values.mean())
    groups = len(sums)
    return math.sqrt(groups / (groups - 1) * float(np.square(sums).sum())) / len(values)


def sources(clusters: Sequence[str] | None, n: int) -> Sequence[str] | None:
    """The clusters, or None when no two of the n examples share one."""
    if clusters is None:
        return None
    if len(clusters) != n:
        raise ValueError(f"{len(clusters)} clusters for {n} values; there must be one for each")
    return None if len(set(clusters)) == n else clusters
