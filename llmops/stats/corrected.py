"""The mean of people's labels, from labels of some examples with a judge's values of all."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmops.stats.column import Floats, binary, finite
from llmops.stats.interval import Interval, t_quantile, within
from llmops.stats.spread import NO_SPREAD, clustered_se, sources

LEAST_LABELS = 20
"""Fewer labelled examples (or sources of them) get no interval: the judge's error is not known by then."""


class Corrected(NamedTuple):
    """A corrected mean, and what it rests on."""

    interval: Interval
    """Its ``n`` counts the judged examples."""
    labels: int
    """Labelled examples among them."""
    tuning: float | None = None
    """The λ of PPI++: 0 is the labels alone, 1 trusts the judge's value in full."""
    more_labels: int | None = None
    """How many more labels would halve the interval; None where there is none, or even all would not."""


class _Sample(NamedTuple):
    """The judged examples, and where the labelled ones stand among them."""

    judged: Floats
    labels: Floats
    at: NDArray[np.intp]
    weights: Floats
    clusters: Sequence[str] | None


def corrected_mean(
    judged: Sequence[float],
    labels: Sequence[float | None],
    chances: Sequence[float] | None = None,
    clusters: Sequence[str] | None = None,
    confidence: float = 0.95,
) -> Corrected:
    """Estimate the mean label of the population that the judged examples were drawn from.

    λ·f̄ + Σ w(y − λf)/Σ w, with f̄ over all judged examples, the sums over the labelled ones and weights
    w = 1/chance. With a random part labelled this is PPI++ (Angelopoulos, Duchi & Zrnic 2023, arXiv
    2311.01453, section 6), its λ tuned to the least variance, cut at 0 and 1; with chances that differ it
    is that of active inference (Zrnic & Candès 2024, arXiv 2403.03208) with the weights' own sum below.
    The variance is that of its influence values over all judged examples, by source where they share one;
    t on labelled − 2. Labels and values of 0 and 1 add one error of each kind to the residuals' variance
    and to the interval's middle, as Bonett & Price 2012 do for pairs: a judge that made none yet is not
    taken for perfect.

    Does not cover: a labelled part that was picked by hand.

    Args:
        judged: the judge's value of every example.
        labels: a person's value of the same examples, None where there is none.
        chances: probability with which each example was drawn to be labelled, above 0; None: all alike.
        clusters: name of each example's source.

    Raises:
        ValueError: columns differ in length, a value is not finite, or a chance is not above 0 up to 1.
    """
    sample = _sample(judged, labels, chances, clusters)
    count, shared = len(sample.labels), sample.clusters
    groups = count if shared is None else len({shared[i] for i in sample.at})
    if groups < LEAST_LABELS:
        what = "labelled examples" if shared is None else "sources of labelled examples"
        reason = f"{groups} {what}; {LEAST_LABELS} are the least that tell how the judge errs"
        return Corrected(Interval(None, len(judged), reason=reason), count)
    tuning = _tuning(sample)
    return _estimated(sample, tuning, t_quantile(confidence, groups - 2))


def corrected_difference(
    judged: tuple[Sequence[float], Sequence[float]],
    labels: tuple[Sequence[float | None], Sequence[float | None]],
    chances: Sequence[float] | None = None,
    clusters: Sequence[str] | None = None,
    confidence: float = 0.95,
) -> Corrected:
    """Estimate the mean of our labels less theirs over the same examples: ``corrected_mean`` of differences.

    An example counts as labelled where both of its answers are. (ours, theirs) each.
    """
    ours, theirs = (finite(column) for column in judged)
    both = [None if a is None or b is None else a - b for a, b in zip(*labels, strict=True)]
    if len(ours) != len(theirs):
        raise ValueError(f"{len(ours)} values against {len(theirs)}; pairs need one of each")
    return corrected_mean((ours - theirs).tolist(), both, chances, clusters, confidence)


def labels_only(
    labels: Sequence[float],
    chances: Sequence[float] | None = None,
    clusters: Sequence[str] | None = None,
    confidence: float = 0.95,
) -> Interval:
    """Estimate the mean label without the judge, from labels that were drawn by chances.

    Without chances it is ``estimate.mean``; with them Hájek's weighted mean (1971) with t.
    """
    from llmops.stats.estimate import mean

    if chances is None or len(set(chances)) <= 1:
        return mean(labels, clusters, confidence)
    zeros = [0.0] * len(labels)
    found = corrected_mean(zeros, labels, chances, clusters, confidence).interval
    return found._replace(method="weighted t") if found.method else found


def _sample(
    judged: Sequence[float],
    labels: Sequence[float | None],
    chances: Sequence[float] | None,
    clusters: Sequence[str] | None,
) -> _Sample:
    values = finite(judged)
    likely = np.ones(len(values)) if chances is None else finite(chances)
    if not len(values) == len(labels) == len(likely):
        raise ValueError(
            f"{len(values)} values, {len(labels)} labels, {len(likely)} chances; as many of each"
        )
    if not ((likely > 0) & (likely <= 1)).all():
        raise ValueError("a chance is not above 0 up to 1")
    at = np.array([i for i, label in enumerate(labels) if label is not None], dtype=np.intp)
    known = finite([label for label in labels if label is not None])
    weights = 1 / likely[at]
    return _Sample(values, known, at, weights, sources(clusters, len(values)))


def _tuning(sample: _Sample) -> float:
    """Return the λ of least variance: the weighted slope of labels on values, cut at 0 and 1."""
    values = sample.judged[sample.at]
    away = values - np.average(values, weights=sample.weights)
    # Squared: a label enters the variance with the square of its weight.
    squared = np.square(sample.weights)
    spread = float((squared * np.square(away)).sum())
    if spread <= NO_SPREAD:
        return 0.0
    slope = float((squared * away * (sample.labels - sample.labels.mean())).sum()) / spread
    return min(1.0, max(0.0, slope))


def _estimated(sample: _Sample, tuning: float, quantile: float) -> Corrected:
    count, judged = len(sample.labels), len(sample.judged)
    residuals = sample.labels - tuning * sample.judged[sample.at]
    bias = float(np.average(residuals, weights=sample.weights))
    value = tuning * float(sample.judged.mean()) + bias
    influence = tuning * (sample.judged - sample.judged.mean())
    taught = np.zeros(judged)
    freedom = math.sqrt(count / (count - 2))
    taught[sample.at] = freedom * (judged / sample.weights.sum()) * sample.weights * (residuals - bias)
    names = range(judged) if sample.clusters is None else sample.clusters
    added = _added(sample, tuning, bias)
    se = math.hypot(clustered_se(influence + taught, names), math.sqrt(added))
    if se <= NO_SPREAD * max(1.0, abs(value)):
        reason = "no spread between the labels, so no telling how sure"
        return Corrected(Interval(value, judged, reason=reason), count, tuning)
    reach, middle = quantile * se, value + _shift(sample, tuning, bias)
    found = Interval(value, judged, se, middle - reach, middle + reach, "ppi++")
    if binary(sample.judged) and binary(sample.labels):
        found = within(found, 0.0, 1.0)
    of_labels = float(np.square(taught).sum()) / judged**2 + added
    return Corrected(found, count, tuning, labels_to_halve(se, of_labels, count, judged))


def _shift(sample: _Sample, tuning: float, bias: float) -> float:
    """Return how far two more labels, an error of each kind, would move the middle of the interval."""
    if not (binary(sample.judged) and binary(sample.labels)):
        return 0.0
    return (1 - tuning - 2 * bias) / (len(sample.labels) + 2)


def _added(sample: _Sample, tuning: float, bias: float) -> float:
    """Return what two more labels, an error of each kind, would add to the variance."""
    if not (binary(sample.judged) and binary(sample.labels)):
        return 0.0
    return ((1 - bias) ** 2 + (tuning + bias) ** 2) / (len(sample.labels) + 2) ** 2


def labels_to_halve(se: float, of_labels: float, labels: int, judged: int) -> int | None:
    """Return how many more labels would halve the interval, with the judge and its values as they are.

    The part of the variance that labels narrow goes with 1/labels, the rest stays.

    Args:
        of_labels: the part of se² that more labels narrow.

    Returns:
        None when even a label on every judged example would not halve it.

    >>> labels_to_halve(se=0.04, of_labels=0.0016, labels=100, judged=1000)
    300
    """
    stays = max(0.0, se * se - of_labels)
    room = se * se / 4 - stays
    if room <= 0:
        return None
    wanted = math.ceil(round(labels * of_labels / room, 6))
    return wanted - labels if wanted <= judged else None
