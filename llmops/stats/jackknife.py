"""The spread of a statistic, from what it would be without each of its sources."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from llmops.stats.column import Floats

GROUPS = 100
"""More sources than this are left out several at a time, so that the cost does not grow with them."""


def jackknife_se(
    statistic: Callable[[Floats], float], rows: Floats, sources: Sequence[object]
) -> tuple[float, int]:
    """Return a statistic's standard error over its sources, with its degrees of freedom.

    √((G−1)/G · Σ_g (T_(g) − mean T)²), T_(g) without the g-th group: the delete-a-group jackknife, Kott
    2001, J. Off. Stat. 17:521–526. One source is one group, up to ``GROUPS``. NaN where the statistic is
    undefined without some group, or there are fewer than two.

    Args:
        statistic: rows → its value.
        rows: (n × columns).
        sources: each row's; rows of one source are left out together.
    """
    _, place = np.unique(np.asarray(sources), return_inverse=True)
    group = place % GROUPS
    groups = int(group.max()) + 1
    if groups < 2:
        return math.nan, 0
    without = np.array([statistic(rows[group != each]) for each in range(groups)])
    spread = float(np.square(without - without.mean()).sum())
    return math.sqrt((groups - 1) / groups * spread), groups - 1
