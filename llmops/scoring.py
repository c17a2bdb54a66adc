"""Responses to Scores: each answer read by its task, and measured by each metric."""

from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from llmops.metrics.catalog import Metric
from llmops.metrics.door import Measured, measure
from llmops.metrics.unscored import Unscored
from llmops.records import Example, MissingKind, Response, Score
from llmops.tasks.catalog import Task
from llmops.tasks.reading import Reading


def scored(
    task: Task,
    metrics: Sequence[Metric],
    examples: Mapping[str, Example],
    responses: Sequence[Response],
    labels: Sequence[str],
) -> list[Score]:
    """Return one Score for each metric and response, metric by metric; what has no value has a reason.

    Args:
        examples: example id → Example, of every response.
        labels: the answers there are, [] where the data set names none; an example's own choices
            go before them.
    """
    readings = [_reading(task, r, examples[r.example_id].choices or labels) for r in responses]
    targets = [examples[response.example_id].target for response in responses]
    return [score for metric in metrics for score in _scores(metric, responses, readings, targets)]


def _reading(task: Task, response: Response, known: Sequence[str]) -> Reading:
    if response.error is not None:
        return Reading(None, f"{response.error.kind}: {response.error.message}")
    return task.reader(response.answer or "", known)


def _scores(
    metric: Metric,
    responses: Sequence[Response],
    readings: Sequence[Reading],
    targets: Sequence[str | None],
) -> Iterator[Score]:
    """Yield one Score for each response; one that cannot be measured has no value but a reason."""
    usable = [
        number
        for number, (reading, target) in enumerate(zip(readings, targets, strict=True))
        if reading.text is not None and (target is not None or not metric.needs_target)
    ]
    values = measure(metric, [readings[i].text or "" for i in usable], [targets[i] or "" for i in usable])
    found: Mapping[int, Measured] = dict(zip(usable, values, strict=True))
    silent = _silence(metric, responses, readings, targets)
    for number, (response, reading, target) in enumerate(zip(responses, readings, targets, strict=True)):
        value, statistics = found.get(number) or Measured(None, silent.get(number, ()))
        score = _score(metric, response, reading, target, value)
        yield replace(score, statistics=[] if isinstance(value, Unscored) else list(statistics))


def _silence(
    metric: Metric,
    responses: Sequence[Response],
    readings: Sequence[Reading],
    targets: Sequence[str | None],
) -> dict[int, list[float]]:
    """Return what an unread answer adds to a corpus where it counts as wrong: that of an empty answer."""
    if metric.statistics is None:
        return {}
    rows = zip(responses, readings, targets, strict=True)
    unread = {
        number: target
        for number, (response, reading, target) in enumerate(rows)
        if response.error is None and reading.text is None and target is not None
    }
    statistics = metric.statistics([""] * len(unread), list(unread.values()))
    return {number: list(row) for number, row in zip(unread, statistics, strict=True)}


def _score(
    metric: Metric,
    response: Response,
    reading: Reading,
    target: str | None,
    value: float | Unscored | None,
) -> Score:
    missing: MissingKind | None = None
    reason: str | None = None
    if response.error is not None:
        missing, reason = "error", reading.reason
    elif reading.text is None:
        missing, reason = "unread", reading.reason
    elif isinstance(value, Unscored):
        missing, reason = "no_target", value.reason
    elif value is None:
        missing, reason = "no_target", "the example has no target"
    return Score(
        suite=response.suite,
        example_id=response.example_id,
        model=response.model,
        prompt=response.prompt,
        repeat=response.repeat,
        metric=metric.name,
        value=None if isinstance(value, Unscored) else value,
        read=reading.text,
        target=target,
        missing=missing,
        reason=reason,
    )
