"""A judge's metrics beside people's labels: each mean corrected by them, and that of the labels alone."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean

from llmops.agreement import items
from llmops.records import Estimate, Label, Score
from llmops.stats.corrected import Corrected, corrected_mean, labels_only
from llmops.suites import Suite
from llmops.summary import Run, Setting

CORRECTED, LABELS_ONLY = " (corrected)", " (labels only)"
"""What the estimates' names end in, behind the judge's metric."""
RESTING_ON_LABELS = (CORRECTED, LABELS_ONLY)


def corrected_estimates(
    suite: Suite, scores: Sequence[Score], labels: Sequence[Label], about: Setting
) -> Iterator[Estimate]:
    """Yield both estimates of each judge's metric, run and slice that has any label.

    An answer's label is the mean of what people said of it, words by the value that the judge gives them.
    The labelled answers must be a random part of the judged ones.
    """
    by_metric: dict[tuple[Run, str], list[Score]] = defaultdict(list)
    for score in scores:
        if score.metric.partition(".")[0] in suite.judges and score.value is not None:
            by_metric[Run(score.model, score.prompt), score.metric].append(score)
    for (run, metric), judged in by_metric.items():
        if said := _said(judged, labels, metric.partition(".")[2]):
            yield from _of_slices(run, metric, _by_example(judged), said, about)


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


def _of_slices(
    run: Run, metric: str, judged: Mapping[str, float], said: Mapping[str, float], about: Setting
) -> Iterator[Estimate]:
    for name, members in about.slices.items():
        ids = [i for i in members if i in judged]
        clusters = [about.clusters[i] for i in ids] if about.clusters else None
        known = [i for i in ids if i in said]
        labels = [said.get(i) for i in ids]
        found = corrected_mean([judged[i] for i in ids], labels, None, clusters, about.confidence)
        yield _estimate(run, metric + CORRECTED, name, found, about)
        sources = [about.clusters[i] for i in known] if about.clusters else None
        alone = labels_only([said[i] for i in known], None, sources, about.confidence)
        yield _estimate(run, metric + LABELS_ONLY, name, Corrected(alone, len(known)), about)


def _estimate(run: Run, metric: str, name: str, found: Corrected, about: Setting) -> Estimate:
    interval = found.interval
    return Estimate(
        suite=about.suite, model=run.model, prompt=run.prompt, metric=metric, slice=name,
        value=interval.value, se=interval.se, low=interval.low, high=interval.high,
        confidence=about.confidence, method=interval.method, n=interval.n, reason=interval.reason,
        policy=about.policy, labels=found.labels, more_labels=found.more_labels,
    )  # fmt: skip
