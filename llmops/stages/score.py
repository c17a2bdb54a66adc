"""results/<suite>/{examples,responses}.jsonl -> scores.jsonl: answers measured."""

from collections.abc import Iterator

from llmops import jsonl
from llmops.cards.card import load_card
from llmops.cards.examples import labels
from llmops.config import PARAMS
from llmops.metrics.catalog import fits, load_metric
from llmops.metrics.metric import Metric
from llmops.places import Places, watched
from llmops.records import Example, Response
from llmops.scoring import beside_examples, scored
from llmops.suites import Suite, load_suite
from llmops.tasks.readers import load_reader


def main(places: Places, name: str) -> None:
    """Measure every response of the suite by every metric, holding a block of them at a time.

    Raises:
        UserError: a task or metric that there is not, a metric that does not fit the task, or a
            response that is the answer to no example.
    """
    suite = load_suite(places.root, name)
    reader = load_reader(suite.task, f"{PARAMS}: suites: {name}: task")
    metrics = _metrics(places, name, suite)

    def examples() -> Iterator[Example]:
        return jsonl.read(places.suite(name, "examples.jsonl"), Example)

    responses = jsonl.read(places.suite(name, "responses.jsonl"), Response)
    known = labels(load_card(places.root, suite.dataset), examples()) or []
    scores = scored(reader, metrics, beside_examples(responses, examples), known)
    jsonl.write(places.suite(name, "scores.jsonl"), scores)


def _metrics(places: Places, name: str, suite: Suite) -> list[Metric]:
    for file in (named for named in suite.metrics if ".py:" in named):
        watched(file, ("apps",), f"{PARAMS}: suites: {name}: metrics")
    metrics = [load_metric(metric, places.root) for metric in suite.metrics]
    for metric in metrics:
        fits(metric, suite.task, f"{PARAMS}: suites: {name}: metrics")
    return metrics
