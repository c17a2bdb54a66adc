"""What a metric is."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Columns = Callable[[Sequence[str], Sequence[str]], Sequence[float]]
"""(answers as read, targets) → one value for each pair."""

Row = Sequence[float]
"""One pair's sufficient statistics, such as n-gram counts; their sums over examples tell a corpus's value."""


class Pooled(NamedTuple):
    """A metric of a whole corpus, which is not the mean of its examples' values."""

    statistics: Callable[[Sequence[str], Sequence[str]], Sequence[Row]]
    """(answers as read, targets) → one row of k numbers for each pair."""
    corpus: "Callable[[Floats], Floats]"
    """(corpora × k) sums of rows → one value for each corpus."""
    each: "Callable[[Floats], Floats] | None" = None
    """(pairs × k) rows → one value for each pair; None where only the metric's function tells it."""


class Metric(NamedTuple):
    """A measure of one answer against its target."""

    name: str
    function: Columns
    tasks: frozenset[str] | None
    """Names of the tasks whose readings it can measure; None means any."""
    summary: str
    citation: str = ""
    version: str = "1"
    """Changes when its values change."""
    higher_is_better: bool = True
    settings: Mapping[str, str] = {}
    """What else its values depend on, e.g. ``{"tokeniser": "13a"}``: printed in an estimate's signature."""
    pooled: Pooled | None = None
    """Set where an estimate is the corpus's value instead of the mean of its examples' values."""
