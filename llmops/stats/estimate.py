"""A column's mean with its interval."""

from collections.abc import Sequence

import numpy as np

from llmops.stats.column import binary, finite
from llmops.stats.interval import Interval, within
from llmops.stats.proportion import proportion
from llmops.stats.spread import around_mean, sources


def mean(
    values: Sequence[float], clusters: Sequence[str] | None = None, confidence: float = 0.95
) -> Interval:
    """Estimate the mean of the population that the examples were drawn from.

    Values of 0 and 1 get Wilson's interval, others Student's t. Examples that share a source
    (``clusters``: its name for each value) get the clustered standard error of ``clustered_se``
    with t on clusters − 1 degrees of freedom; when every example is a cluster of its own, the
    clusters change nothing. Limits of 0/1 values are cut at 0 and 1.

    Does not cover: examples that were not drawn at random.

    Raises:
        ValueError: a value is not finite, or there is not one cluster for each value.
    """
    scores = finite(values)
    if len(scores) == 0:
        return Interval(None, 0, reason="no values")
    shared = sources(clusters, len(scores))
    if not binary(scores):
        return around_mean(scores, shared, confidence)
    if shared is None:
        return proportion(int(scores.sum()), len(scores), confidence)
    if np.ptp(scores) == 0:
        return _alike_clusters(float(scores[0]), shared, confidence)
    return within(around_mean(scores, shared, confidence), 0.0, 1.0)


def _alike_clusters(value: float, clusters: Sequence[str], confidence: float) -> Interval:
    # All right or all wrong leaves t nothing to measure. Counting each cluster as one example is
    # the widest that the dependence within clusters allows.
    groups = len(set(clusters))
    counted = proportion(groups if value else 0, groups, confidence)
    if counted.low is None:
        return Interval(value, len(clusters), reason="one cluster tells nothing of the spread")
    return counted._replace(n=len(clusters), method="wilson over clusters")
