"""What the spread of values comes from: which example it is, or which of an example's answers."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from llmops.stats.column import finite


class Components(NamedTuple):
    """Variances that add up to a single value's; None where the sample cannot tell, with the reason."""

    example: float | None
    """Between examples: σ²_e."""
    answer: float | None
    """Between the answers to one example: σ²_a."""
    n: int
    """Examples that enter."""
    reason: str | None = None


def components(groups: Sequence[Sequence[float]]) -> Components:
    """Split the variance of values by analysis of variance, one group an example.

    Random effects, one way, groups of any size: σ²_a = MS_within, σ²_e = (MS_between − MS_within)/n₀ with
    n₀ = (N − Σnᵢ²/N)/(G − 1) (Searle, Casella & McCulloch 1992, Variance Components, section 3.6). Where
    σ²_e comes out below 0 it is 0, with a reason.

    Raises:
        ValueError: a value is not finite.
    """
    columns = [finite(group) for group in groups if len(group)]
    sizes = np.array([len(column) for column in columns], dtype=np.float64)
    count, total = len(columns), float(sizes.sum())
    if count < 2:
        return Components(None, None, count, "fewer than two examples")
    if total == count:
        return Components(None, None, count, "no example was answered twice; set `repeats`")
    means = np.array([float(column.mean()) for column in columns])
    grand = float((sizes * means).sum() / total)
    inner = sum(float(np.square(column - column.mean()).sum()) for column in columns)
    within = inner / (total - count)
    between = float((sizes * np.square(means - grand)).sum()) / (count - 1)
    usual = (total - float(np.square(sizes).sum()) / total) / (count - 1)
    example = (between - within) / usual
    reason = "examples differ by less than their own answers do" if example < 0 else None
    return Components(max(0.0, example), within, count, reason)
