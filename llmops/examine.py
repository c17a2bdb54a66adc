"""Data sets fetched into runs/ and held to their expectations, to see what is odd in them."""

import click

from llmops import jsonl
from llmops.cards.card import load_card, names
from llmops.cards.report import by_expectation
from llmops.places import Places
from llmops.stages import fetch, validate


def main(places: Places, datasets: list[str]) -> int:
    """Print each data set's count of examples and what does not hold of them; return the exit code.

    Args:
        datasets: names of cards; all of them when empty.
    """
    worst = 0
    for name in datasets or names(places.root):
        card = load_card(places.root, name)
        fetch.fetch_sets(places, [name])
        examples, report = validate.held_examples(places, card)
        below = f"{places.raw(name)}/"
        jsonl.write_json(places.suite("validation", f"{name}.json"), report)
        click.echo(
            f"{name}: {len(examples):,} examples, {report.failed:,} critical, {report.warned:,} warnings"
        )
        for line in by_expectation(report):
            click.echo(f"  {line.replace(below, '')}")
        worst = max(worst, 0 if report.success else 1)
    return worst
