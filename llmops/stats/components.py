"""The variance of scores, split between examples, answers to one example, judgements of one answer."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmops.stats.bootstrap import Resampling, bootstrap
from llmops.stats.column import Floats, finite
from llmops.stats.interval import Interval

Nested = Sequence[Sequence[Sequence[float]]]
"""Example → its answers → the values that judgements of the answer gave."""


class Components(NamedTuple):
    """Variances in the square of the scores' unit, each with its interval; None where nothing tells it."""

    example: Interval
    """Between examples. Where none was asked twice, that between the answers is in it."""
    generation: Interval
    """Between answers to one example. Where none was judged twice, that between judgements is in it."""
    judge: Interval
    """Between judgements of one answer."""


def example_share(split: Components) -> float | None:
    """Return the share of one answer's variance that lies between examples; None where it is not known."""
    if split.example.value is None or split.generation.value is None:
        return None
    whole = split.example.value + split.generation.value + (split.judge.value or 0.0)
    return split.example.value / whole if whole else None


class _Sums(NamedTuple):
    """(resamples,) sums over the drawn examples that the mean squares are made of."""

    examples: Floats
    answers: Floats
    values: Floats
    total: Floats
    squares: Floats
    """Σ y²."""
    of_answers: Floats
    """Σ over answers of n ȳ²."""
    of_examples: Floats
    """Σ over examples of n ȳ²."""
    answer_sizes: Floats
    """Σ over answers of n²."""
    example_sizes: Floats
    """Σ over examples of n²."""
    shares: Floats
    """Σ over examples of Σ over its answers of n²/N, N the example's values."""


def components(nested: Nested, resampling: Resampling | None = None, confidence: float = 0.95) -> Components:
    """Split the variance of scores by a nested analysis of variance with random effects.

    The sums of squares between examples, between answers within an example and within an answer are
    set equal to their expectations, which holds for any numbers of answers and judgements: Searle,
    Casella and McCulloch 1992, Variance Components, sections 3.6 and 5.3 (Henderson's method I). An
    estimate below 0, which no variance can be, is given as 0 with the reason. The intervals are
    percentile intervals of a bootstrap that draws whole examples, since scores of 0 and 1 are not
    normal; below some 30 examples they are too narrow.

    Args:
        resampling: how often and by which seed examples are drawn; as its defaults say when None.

    Raises:
        ValueError: a value is not finite, or an example or an answer has no value.
    """
    if len(nested) < 2:
        nothing = Interval(None, len(nested), reason="fewer than two examples tell of no variance")
        return Components(nothing, nothing, nothing)
    middle = float(np.mean([value for answers in nested for values in answers for value in values]))
    rows = np.array([_row(answers, middle) for answers in nested])
    drawing = resampling or Resampling()
    each_once = np.ones(len(rows), dtype=np.int64)
    found = bootstrap(
        lambda drawn: _variances(drawn @ rows), each_once, drawing.seed, drawing.resamples, confidence
    )
    example, generation, judge = (_at_least_0(interval) for interval in found)
    whole = _Sums(*rows.sum(axis=0))
    return Components(
        example,
        generation if whole.answers > len(rows) else _unknown(len(rows), "no example was asked twice"),
        judge if whole.values > whole.answers else _unknown(len(rows), "no answer was judged twice"),
    )


def _row(answers: Sequence[Sequence[float]], middle: float) -> list[float]:
    """Return what one example adds to each of `_Sums`; around the middle, small numbers are summed."""
    judged = [finite(values) - middle for values in answers]
    if not judged or any(len(values) == 0 for values in judged):
        raise ValueError("an example or an answer has no value; leave it out")
    sizes = np.array([len(values) for values in judged], dtype=np.float64)
    sums = np.array([values.sum() for values in judged])
    n, summed = float(sizes.sum()), float(sums.sum())
    inside = sum(float(np.square(values).sum()) for values in judged)
    by_answer, squared = float((sums**2 / sizes).sum()), float((sizes**2).sum())
    return [1.0, float(len(sizes)), n, summed, inside, by_answer, summed**2 / n, squared, n**2, squared / n]


def _variances(sums: Floats) -> Floats:
    """(resamples × `_Sums`) → (resamples × 3): the variances as the mean squares tell them, below 0 too."""
    s = _Sums(*sums.T)
    with np.errstate(invalid="ignore", divide="ignore"):
        judge = _or_0((s.squares - s.of_answers) / (s.values - s.answers), s.values > s.answers)
        between_answers = s.of_answers - s.of_examples - judge * (s.answers - s.examples)
        generation = _or_0(between_answers / (s.values - s.shares), s.answers > s.examples)
        between_examples = s.of_examples - s.total**2 / s.values - judge * (s.examples - 1)
        between_examples -= generation * (s.shares - s.answer_sizes / s.values)
        example = between_examples / (s.values - s.example_sizes / s.values)
    return np.stack([example, generation, judge], axis=1)


def _or_0(values: Floats, told: NDArray[np.bool_]) -> Floats:
    return np.where(told, values, 0.0)


def _at_least_0(interval: Interval) -> Interval:
    """Return the variance, cut at 0."""
    if interval.value is None:
        return interval
    cut = interval._replace(value=max(0.0, interval.value))
    if interval.low is not None and interval.high is not None:
        cut = cut._replace(low=max(0.0, interval.low), high=max(0.0, interval.high))
    if interval.value >= 0:
        return cut
    return cut._replace(reason=f"estimated at {interval.value:.3g}, and no variance is below 0")


def _unknown(n: int, reason: str) -> Interval:
    return Interval(None, n, reason=reason)
