"""What a metric is: a function of answers and targets, with all that its values rest on."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from llmops.metrics.unscored import Unscored

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Columns = Callable[[Sequence[str], Sequence[str]], Sequence[float | Unscored]]
"""(answers as read, targets) → one value for each pair, or why there is none."""

Statistics = Callable[[Sequence[str], Sequence[str]], Sequence[Sequence[float]]]
"""(answers as read, targets) → one row of k numbers for each pair, whose sums tell a corpus's value."""

Corpus = Callable[["Floats"], "Floats"]
"""(… × k) sums of rows, or rows → (…) values."""


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
    """What else its values rest on, such as a tokeniser; part of each estimate's signature."""
    statistics: Statistics | None = None
    """With ``corpus``: an estimate is the value of all examples together, not the mean of theirs."""
    corpus: Corpus | None = None
    """Sums of rows → the corpora's values."""
    needs_target: bool = True
    """False when examples without a target can be measured too; their target is then ``""``."""
    worst: float = 0.0
    """What an unread answer counts as where the suite says ``unread: wrong``."""
    each: Corpus | None = None
    """Rows → each pair's own value, where they tell it: then ``function`` is not called."""
    whole: bool = False
    """True when a pair's value rests on the other pairs too: it is then called once with all of a
    suite's pairs, which are held in memory, not with blocks of them."""
    bounded: bool = True
    """Each value lies between 0 and 1, which sequential runs rest on."""
    rule: str = "sum"
    """What makes a weighed choice the answer, by name in ``tasks.likelihood.RULES``."""
