"""A corpus's value, told from its examples' sufficient statistics, with its interval."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmops.stats.bootstrap import Resampling, bootstrap
from llmops.stats.column import Floats
from llmops.stats.interval import Interval
from llmops.stats.spread import sources

Corpus = Callable[[Floats], Floats]
"""(corpora × k) sums of the examples' rows → one value for each corpus."""

Value = Callable[[NDArray[np.int64]], Floats]
"""(resamples × sources) how often each is drawn → one value for each resample."""


class Pooling(NamedTuple):
    """How rows become a value, and how sure it is told to be."""

    corpus: Corpus
    resampling: Resampling = Resampling()
    confidence: float = 0.95


def pooled(rows: Sequence[Sequence[float]], clusters: Sequence[str] | None, how: Pooling) -> Interval:
    """Estimate a corpus's value with a percentile bootstrap over its examples (Koehn 2004, W04-3250).

    Examples that share a source (``clusters``: its name for each row) are drawn together, as a whole.

    Args:
        rows: (n × k), a row of sufficient statistics for each example.
    """
    if not rows:
        return Interval(None, 0, reason="no values")
    sums = _by_source(rows, clusters)
    return _resampled(lambda drawn: how.corpus(drawn @ sums), len(rows), len(sums), how)


def pooled_difference(
    ours: Sequence[Sequence[float]],
    theirs: Sequence[Sequence[float]],
    clusters: Sequence[str] | None,
    how: Pooling,
) -> Interval:
    """Estimate our corpus's value minus theirs; every resample draws the same examples of both.

    Raises:
        ValueError: the columns differ in length.
    """
    if len(ours) != len(theirs):
        raise ValueError(f"{len(ours)} rows against {len(theirs)}; pairs need one of each")
    if not ours:
        return Interval(None, 0, reason="no pairs")
    a, b = _by_source(ours, clusters), _by_source(theirs, clusters)
    return _resampled(lambda drawn: how.corpus(drawn @ a) - how.corpus(drawn @ b), len(ours), len(a), how)


def _resampled(value: Value, n: int, units: int, how: Pooling) -> Interval:
    drawing = how.resampling
    counts = np.ones(units, dtype=np.int64)
    (found,) = bootstrap(
        lambda drawn: value(drawn)[:, None], counts, drawing.seed, drawing.resamples, how.confidence
    )
    if units == n:
        return found
    if units == 1:
        return found._replace(n=n, reason="one cluster tells nothing of the spread")
    return found._replace(n=n, method=found.method and f"clustered {found.method}")


def _by_source(rows: Sequence[Sequence[float]], clusters: Sequence[str] | None) -> Floats:
    """(sources × k): the rows, those of one source added up."""
    column = np.asarray(rows, dtype=np.float64)
    shared = sources(clusters, len(column))
    if shared is None:
        return column
    names, index = np.unique(np.asarray(shared), return_inverse=True)
    sums = np.zeros((len(names), column.shape[1]))
    np.add.at(sums, index, column)
    return sums
