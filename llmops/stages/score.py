"""results/<suite>/{examples,responses}.jsonl -> scores.jsonl, validation/responses.json: answers measured."""

from llmops import jsonl
from llmops.cards.card import load_card
from llmops.cards.examples import labels
from llmops.cards.expectations import check
from llmops.cards.frame import response_frame
from llmops.cards.held import hold
from llmops.config import PARAMS
from llmops.metrics.catalog import Metric, fits, load_metric
from llmops.places import Places, watched
from llmops.records import Example, Response
from llmops.scoring import scored
from llmops.suites import Suite, load_suite
from llmops.tasks.catalog import load_task

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
    scores = scored(task, metrics, examples, responses, known or [])
    jsonl.write(places.suite(name, "scores.jsonl"), scores)


def _metrics(places: Places, name: str, suite: Suite) -> list[Metric]:
    for file in (named for named in suite.metrics if ".py:" in named):
        watched(file, ("apps",), f"{PARAMS}: suites: {name}: metrics")
    metrics = [load_metric(metric, places.root) for metric in suite.metrics]
    for metric in metrics:
        fits(metric, suite.task, f"{PARAMS}: suites: {name}: metrics")
    return metrics
