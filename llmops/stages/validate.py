"""data/raw/<data set>/ -> results/<suite>/examples.jsonl, validation/examples.json: rows held to it."""

from llmops import jsonl
from llmops.cards.card import load_card
from llmops.cards.examples import labels, read_examples
from llmops.cards.expectations import check
from llmops.cards.frame import example_frame
from llmops.cards.held import hold
from llmops.places import Places
from llmops.suites import load_suite

EXPECTATIONS = "data/expectations/examples.yaml"


def main(places: Places, name: str) -> None:
    """Read the suite's data set as Examples, and hold it to its expectations.

    Raises:
        UserError: a row cannot be read, or a critical expectation does not hold.
    """
    card = load_card(places.root, load_suite(places.root, name).dataset)
    placed = list(read_examples(card, places.raw(card.name)))
    examples = [example for _, example in placed]
    values = {"labels": labels(card, examples), "slices": list(card.slices)}
    report = check(example_frame(placed, card.slices), places.root / EXPECTATIONS, values)
    hold(report, places.suite(name, "validation", "examples.json"), f"validate {name}")
    jsonl.write(places.suite(name, "examples.jsonl"), examples)
