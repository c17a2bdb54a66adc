"""How a classifier errs: its confusion, and each class's precision, recall and F1."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmops.stats.bootstrap import bootstrap
from llmops.stats.column import Floats
from llmops.stats.interval import Interval
from llmops.stats.proportion import proportion

UNREAD = "unread"
"""What to call the column of answers that could not be read; in ``Confusion`` its key is None."""

Confusion = dict[tuple[str, str | None], int]
"""(target, read) → examples."""


class ClassReport(NamedTuple):
    """One class's numbers."""

    label: str
    support: int
    """Examples whose target it is."""
    predicted: int
    """Examples whose answer was read as it."""
    precision: Interval
    recall: Interval
    f1: Interval


class Classification(NamedTuple):
    """All classes' numbers."""

    confusion: Confusion
    classes: list[ClassReport]
    macro_f1: Interval


def classification(
    targets: Sequence[str],
    reads: Sequence[str | None],
    seed: int,
    resamples: int = 2000,
    confidence: float = 0.95,
) -> Classification:
    """Report on every class that occurs as a target or as an answer, in alphabetical order.

    An unread answer (None) counts against its target's recall; leave its example out to exclude it.
    Precision is None for a class that was never predicted, recall and F1 for one that is no
    target. F1 is 2·TP/(support + predicted); macro F1 is the plain mean over the classes that are
    targets. Intervals: Wilson for precision and recall, percentile bootstrap for F1 and macro F1.

    Raises:
        ValueError: targets and reads differ in length.
    """
    confusion: Confusion = dict(Counter(zip(targets, reads, strict=True)))
    labels = sorted({*targets, *(read for read in reads if read is not None)})
    if not labels:
        return Classification({}, [], Interval(None, 0, reason="no values"))
    intervals = bootstrap(
        lambda counts: _f1(counts, *_indicators(confusion, labels)),
        list(confusion.values()),
        seed,
        resamples,
        confidence,
    )
    classes = [_class(x, confusion, f1, confidence) for x, f1 in zip(labels, intervals[:-1], strict=True)]
    return Classification(confusion, classes, intervals[-1])


def _class(label: str, confusion: Confusion, f1: Interval, confidence: float) -> ClassReport:
    hits = confusion.get((label, label), 0)
    support = sum(count for (target, _), count in confusion.items() if target == label)
    predicted = sum(count for (_, read), count in confusion.items() if read == label)
    precision = proportion(hits, predicted, confidence)
    recall = proportion(hits, support, confidence)
    if predicted == 0:
        precision = precision._replace(reason="never predicted")
    if support == 0:
        recall, f1 = (x._replace(reason="no example has this target") for x in (recall, f1))
    return ClassReport(label, support, predicted, precision, recall, f1)


def _indicators(confusion: Confusion, labels: list[str]) -> tuple[Floats, Floats]:
    """(cells × classes) 0/1: the cell's target is the class; the cell's answer is the class."""
    is_target = np.array([[target == label for label in labels] for target, _ in confusion], dtype=np.float64)
    is_read = np.array([[read == label for label in labels] for _, read in confusion], dtype=np.float64)
    return is_target, is_read


def _f1(counts: NDArray[np.int64], is_target: Floats, is_read: Floats) -> Floats:
    """(resamples × cells) counts → (resamples × classes + 1) F1 of each class, macro F1 last."""
    support, predicted = counts @ is_target, counts @ is_read
    hits = counts @ (is_target * is_read)
    f1 = np.full_like(hits, np.nan)
    np.divide(2 * hits, support + predicted, out=f1, where=support > 0)
    macro = np.nansum(f1, axis=1) / np.count_nonzero(support, axis=1)
    return np.column_stack([f1, macro])
