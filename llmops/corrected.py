"""A judge's metrics beside people's labels: each mean corrected by them, and that of the labels alone."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import NamedTuple

from llmops.agreement import items
from llmops.records import Estimate, Label, Score
from llmops.stats.corrected import Corrected, corrected_difference, corrected_mean, labels_only
from llmops.suites import Suite
from llmops.summary import Run, Setting, beside_baseline

CORRECTED, LABELS_ONLY = " (corrected)", " (labels only)"
"""What the estimates' names end in, behind the judge's metric."""
RESTING_ON_LABELS = (CORRECTED, LABELS_ONLY)


class _Judged(NamedTuple):
    """One metric of one run, by example id."""

    values: Mapping[str, float]
    said: Mapping[str, float]
    chances: Mapping[str, float]
    """Of the labelled examples to be labelled; empty where all were alike."""


def corrected_estimates(
    suite: Suite,
    scores: Sequence[Score],
    labels: Sequence[Label],
    about: Setting,
    baseline: Sequence[Score] = (),
) -> Iterator[Estimate]:
    """Yield both estimates of each judge's metric, run and slice that has any label.

    An answer's label is the mean of what people said of it, words by the value that the judge gives them.
    The labelled answers must be a random part of the judged ones, or have their chances. The difference
    to the baseline is told where that is a run of the suite, whose answers are the ones that were labelled.

    Args:
        baseline: the baseline's scores.
    """
    elsewhere = suite.baseline is not None and suite.baseline.elsewhere
    theirs = {} if elsewhere else {m: (run, each) for (run, m), each in _held(suite, baseline, labels)}
    for (run, metric), ours in _held(suite, scores, labels):
        other = theirs.get(metric)
        for name in about.slices:
            for estimate in _of_slice(run, metric, name, ours, about):
                if other is None or other[0] == run:
                    yield estimate
                else:
                    yield _beside(estimate, str(other[0]), (ours, other[1]), about)


def _held(
    suite: Suite, scores: Sequence[Score], labels: Sequence[Label]
) -> Iterator[tuple[tuple[Run, str], _Judged]]:
    chances = {label.example_id: label.chance for label in labels if label.chance is not None}
    by_metric: dict[tuple[Run, str], list[Score]] = defaultdict(list)
    for score in scores:
        if score.metric.partition(".")[0] in suite.judges and score.value is not None:
            by_metric[Run(score.model, score.prompt), score.metric].append(score)
    for (run, metric), judged in by_metric.items():
        if said := _said(judged, labels, metric.partition(".")[2]):
            yield (run, metric), _Judged(_by_example(judged), said, chances)


def _by_example(judged: Sequence[Score]) -> dict[str, float]:
    values: dict[str, list[float]] = defaultdict(list)
    for score in judged:
        if score.value is not None:
            values[score.example_id].append(score.value)
    return {example_id: fmean(each) for example_id, each in values.items()}


def _said(judged: Sequence[Score], labels: Sequence[Label], criterion: str) -> dict[str, float]:
    """Return example id → the mean of its answers' labels; a word that the judge never gave is none."""
    words = {score.read: score.value for score in judged if score.read is not None}
    said: dict[str, list[float]] = defaultdict(list)
    for item in items(judged, labels, criterion):
        values = [each if isinstance(each, float) else words.get(each) for each in item.labels.values()]
        if known := [value for value in values if value is not None]:
            said[item.example_id].append(fmean(known))
    return {example_id: fmean(each) for example_id, each in said.items()}


def _of_slice(run: Run, metric: str, name: str, ours: _Judged, about: Setting) -> Iterator[Estimate]:
    ids = [i for i in about.slices[name] if i in ours.values]
    known = [i for i in ids if i in ours.said]
    labels = [ours.said.get(i) for i in ids]
    found = corrected_mean(
        [ours.values[i] for i in ids], labels, _likely(ours, ids), _clusters(ids, about), about.confidence
    )
    yield _estimate(run, metric + CORRECTED, name, found, about)
    alone = labels_only(
        [ours.said[i] for i in known], _likely(ours, known), _clusters(known, about), about.confidence
    )
    yield _estimate(run, metric + LABELS_ONLY, name, Corrected(alone, len(known)), about)


def _beside(estimate: Estimate, baseline: str, sides: tuple[_Judged, _Judged], about: Setting) -> Estimate:
    """Return the estimate with the paired difference to the baseline, corrected or of the labels alone."""
    ours, theirs = sides
    ids = [i for i in about.slices[estimate.slice] if i in ours.values and i in theirs.values]
    if estimate.metric.endswith(LABELS_ONLY):
        both = [i for i in ids if i in ours.said and i in theirs.said]
        apart = [ours.said[i] - theirs.said[i] for i in both]
        found = labels_only(apart, _likely(ours, both), _clusters(both, about), about.confidence)
    else:
        found = corrected_difference(
            ([ours.values[i] for i in ids], [theirs.values[i] for i in ids]),
            ([ours.said.get(i) for i in ids], [theirs.said.get(i) for i in ids]),
            _likely(ours, ids),
            _clusters(ids, about),
            about.confidence,
        ).interval
    return beside_baseline(estimate, baseline, found)


def _likely(ours: _Judged, ids: Sequence[str]) -> list[float] | None:
    """Return each example's chance, 1 where it has no label and needs none; None where all are alike."""
    return [ours.chances.get(i, 1.0) for i in ids] if ours.chances else None


def _clusters(ids: Sequence[str], about: Setting) -> list[str] | None:
    return [about.clusters[i] for i in ids] if about.clusters else None


def _estimate(run: Run, metric: str, name: str, found: Corrected, about: Setting) -> Estimate:
    interval = found.interval
    return Estimate(
        suite=about.suite, model=run.model, prompt=run.prompt, metric=metric, slice=name,
        value=interval.value, se=interval.se, low=interval.low, high=interval.high,
        confidence=about.confidence, method=interval.method, n=interval.n, reason=interval.reason,
        policy=about.policy_of(metric), labels=found.labels, more_labels=found.more_labels,
    )  # fmt: skip
