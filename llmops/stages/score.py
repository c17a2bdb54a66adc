"""results/<suite>/{examples,responses}.jsonl -> scores.jsonl, validation/responses.json: answers measured."""

from collections.abc import Iterator, Mapping, Sequence

from llmops import jsonl
from llmops.cards.card import load_card
from llmops.cards.examples import labels
from llmops.cards.expectations import check
from llmops.cards.frame import response_frame
from llmops.cards.held import hold
from llmops.config import PARAMS
from llmops.metrics.catalog import Metric, fits, load_metric
from llmops.metrics.door import compute
from llmops.places import Places
from llmops.records import Example, MissingKind, Response, Score
from llmops.suites import Suite, load_suite
from llmops.tasks.catalog import Task, load_task
from llmops.tasks.reading import Reading

EXPECTATIONS = "data/expectations/responses.yaml"


def main(places: Places, name: str) -> None:
    """Measure every response of the suite by every metric, once the responses hold their expectations.

    Raises:
        UserError: a task or metric that there is not, a metric that does not fit the task, or
            responses that do not hold what is critical.
    """
    suite = load_suite(places.root, name)
    task = load_task(suite.task, f"{PARAMS}: suites: {name}: task")
    metrics = _metrics(places, name, suite)
    examples = {e.id: e for e in jsonl.read(places.suite(name, "examples.jsonl"), Example)}
    path = places.suite(name, "responses.jsonl")
    responses = list(jsonl.read(path, Response))
    known = labels(load_card(places.root, suite.dataset), examples.values())
    report = check(response_frame(str(path), responses), places.root / EXPECTATIONS, {"labels": known})
    hold(report, places.suite(name, "validation", "responses.json"), f"score {name}")
    readings = [
        _reading(task, response, examples[response.example_id].choices or known or [])
        for response in responses
    ]
    targets = [examples[response.example_id].target for response in responses]
    scores = (s for metric in metrics for s in _scores(metric, responses, readings, targets))
    jsonl.write(places.suite(name, "scores.jsonl"), scores)


def _metrics(places: Places, name: str, suite: Suite) -> list[Metric]:
    metrics = [load_metric(metric, places.root) for metric in suite.metrics]
    for metric in metrics:
        fits(metric, suite.task, f"{PARAMS}: suites: {name}: metrics")
    return metrics


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
        if reading.text is not None and target is not None
    ]
    values = compute(metric, [readings[i].text or "" for i in usable], [targets[i] or "" for i in usable])
    found: Mapping[int, float] = dict(zip(usable, values, strict=True))
    for number, (response, reading, target) in enumerate(zip(responses, readings, targets, strict=True)):
        yield _score(metric, response, reading, target, found.get(number))


def _score(
    metric: Metric, response: Response, reading: Reading, target: str | None, value: float | None
) -> Score:
    missing: MissingKind | None = None
    reason: str | None = None
    if response.error is not None:
        missing, reason = "error", reading.reason
    elif reading.text is None:
        missing, reason = "unread", reading.reason
    elif target is None:
        missing, reason = "no_target", "the example has no target"
    return Score(
        suite=response.suite,
        example_id=response.example_id,
        model=response.model,
        prompt=response.prompt,
        repeat=response.repeat,
        metric=metric.name,
        value=value,
        read=reading.text,
        target=target,
        missing=missing,
        reason=reason,
    )
