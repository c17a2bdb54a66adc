"""data/raw/<data set>/ -> results/<suite>/examples.jsonl, validation/examples.json: rows held to it."""

from llmops import jsonl
from llmops.cards.card import load_card, own_expectations
from llmops.cards.examples import labels, read_rows
from llmops.cards.expectations import check
from llmops.cards.frame import example_frame
from llmops.cards.held import hold
from llmops.cards.report import Report
from llmops.cards.schema import Card
from llmops.places import Places
from llmops.records import Example
from llmops.suites import load_suite

EXPECTATIONS = "data/expectations/examples.yaml"


def main(places: Places, name: str) -> None:
    """Read the suite's data set as Examples, and hold it to its expectations.

    Raises:
        UserError: a row cannot be read, or a critical expectation does not hold.
    """
    card = load_card(places.root, load_suite(places.root, name).dataset)
    examples, report = held_examples(places, card)
    hold(report, places.suite(name, "validation", "examples.json"), f"validate {name}")
    jsonl.write(places.suite(name, "examples.jsonl"), examples)


def held_examples(places: Places, card: Card) -> tuple[list[Example], Report]:
    """Return the data set's examples, and how they stand to what all data sets and this one are held to."""
    read = list(read_rows(card, places.raw(card.name)))
    examples = [each.example for each in read]
    frame = example_frame([(e.place, e.example) for e in read], card.slices, [e.columns for e in read])
    values = {"labels": labels(card, examples), "slices": list(card.slices)}
    files = [places.root / EXPECTATIONS, *own_expectations(places.root, card.name)]
    return examples, check(frame, files, values)
