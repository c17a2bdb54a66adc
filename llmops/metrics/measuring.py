"""A metric's values for columns of answers and targets, held to what a metric must return."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from llmops.errors import UserError
from llmops.metrics.metric import Corpus, Metric
from llmops.metrics.unscored import Unscored


class Measured(NamedTuple):
    """What a metric has to say of one pair."""

    value: float | Unscored | None
    """None: it was not asked."""
    statistics: Sequence[float] = ()
    """What the pair adds to a corpus's value; none where the metric is a mean."""


def measure(metric: Metric, reads: Sequence[str], targets: Sequence[str]) -> list[Measured]:
    """Return what the metric makes of each pair of an answer as read and its target.

    Raises:
        UserError: the metric returns another number of values than pairs, or one that is not a
            finite number.
        ValueError: the columns differ in length.
    """
    if len(reads) != len(targets):
        raise ValueError(f"{len(reads)} reads for {len(targets)} targets; pairs need one of each")
    if not reads:
        return []
    if metric.corpus:
        return _of_corpus(metric, reads, targets)
    return [Measured(value) for value in checked(metric, metric.function(reads, targets), len(reads))]


def _of_corpus(metric: Metric, reads: Sequence[str], targets: Sequence[str]) -> list[Measured]:
    rows = metric.statistics(reads, targets) if metric.statistics else [()] * len(reads)
    if metric.each and metric.statistics:
        import numpy as np

        values: Sequence[object] = metric.each(np.asarray(rows, dtype=np.float64)).tolist()
    else:
        values = metric.function(reads, targets)
    return [Measured(*pair) for pair in zip(checked(metric, values, len(reads)), rows, strict=True)]


def compute(metric: Metric, reads: Sequence[str], targets: Sequence[str]) -> list[float | Unscored | None]:
    """Return the metric's value for each pair, or why there is none; see ``measure``."""
    return [measured.value for measured in measure(metric, reads, targets)]


def whole(corpus: Corpus, rows: Sequence[Sequence[float]]) -> float | None:
    """Return the value of the corpus that the rows of statistics are of; None for no rows."""
    import numpy as np

    if not rows:
        return None
    return float(corpus(np.asarray(rows, dtype=np.float64).sum(axis=0, keepdims=True))[0])


def checked(metric: Metric, values: Sequence[object], pairs: int) -> list[float | Unscored]:
    """Return what a metric returned as floats, one for each pair that is not unscored.

    Raises:
        UserError: it is not that; the message names the metric.
    """
    try:
        floats = [value if isinstance(value, Unscored) else float(value) for value in values]  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise UserError(
            f"metrics: {metric.name!r} returned {_shown(values)}; return a list of numbers"
        ) from None
    if len(floats) != pairs:
        raise UserError(
            f"metrics: {metric.name!r} returned {len(floats)} values for {pairs} pairs; return one each"
        )
    for place, value in enumerate(floats):
        if not isinstance(value, Unscored) and not math.isfinite(value):
            raise UserError(
                f"metrics: {metric.name!r} returned {value!r} for pair {place}; return finite numbers"
            )
    return floats


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"
