"""How often at least one, or every one, of k answers to an example is right."""

from collections.abc import Sequence
from math import comb

from llmops.stats.estimate import mean
from llmops.stats.interval import Interval, within

Counts = Sequence[tuple[int, int]]
"""(right answers, answers) of each example."""


def pass_at(k: int, counts: Counts, clusters: Sequence[str] | None = None, level: float = 0.95) -> Interval:
    """Estimate the chance that at least one of k answers to an example is right: pass@k.

    The mean over examples of 1 − C(n − c, k)/C(n, k), without bias for c right ones of n ≥ k answers
    (Chen et al. 2021, arXiv 2107.03374, equation 1), with the interval of a mean over examples.

    Args:
        clusters: the source of each example, where examples share one.
        level: the interval's confidence.

    Raises:
        ValueError: k is below 1, or an example has more right answers than answers.
    """
    return _over_examples([1 - _none(k, right, n) for right, n in _enough(k, counts)], k, clusters, level)


def pass_hat(k: int, counts: Counts, clusters: Sequence[str] | None = None, level: float = 0.95) -> Interval:
    """Estimate the chance that all of k answers to an example are right: pass^k.

    The mean over examples of C(c, k)/C(n, k), without bias for c right ones of n ≥ k answers (Yao et
    al. 2024, arXiv 2406.12045, section 4), with the interval of a mean over examples.

    Args:
        clusters: the source of each example, where examples share one.
        level: the interval's confidence.

    Raises:
        ValueError: k is below 1, or an example has more right answers than answers.
    """
    every = [_none(k, n - right, n) for right, n in _enough(k, counts)]
    return _over_examples(every, k, clusters, level)


def _none(k: int, right: int, n: int) -> float:
    """Return the chance that k of n answers, drawn without replacement, hold none of the right ones."""
    return comb(n - right, k) / comb(n, k)


def _enough(k: int, counts: Counts) -> Counts:
    if k < 1:
        raise ValueError(f"k is {k}; it must be at least 1")
    if wrong := next(((right, n) for right, n in counts if not 0 <= right <= n), None):
        raise ValueError(f"{wrong[0]} right of {wrong[1]} answers; give 0 to all of them")
    return counts if all(n >= k for _, n in counts) else []


def _over_examples(values: Sequence[float], k: int, clusters: Sequence[str] | None, level: float) -> Interval:
    if not values:
        return Interval(None, 0, reason=f"not every example has {k} answers")
    return within(mean(values, clusters, level), 0.0, 1.0)
