"""Data sets fetched into runs/ and held to their expectations, to see what is odd in them."""

from pathlib import Path

import click

from llmops import jsonl
from llmops.cards.card import load_card, names
from llmops.cards.report import Report, sentence
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
        jsonl.write_json(places.suite("validation", f"{name}.json"), report)
        click.echo(
            f"{name}: {len(examples):,} examples, {report.failed:,} critical, {report.warned:,} warnings"
        )
        for line in odd(report, places.raw(name)):
            click.echo(f"  {line}")
        worst = max(worst, 0 if report.success else 1)
    return worst


def odd(report: Report, raw: Path) -> list[str]:
    """Return what does not hold, a line for each expectation: its note or first failure, and the count."""
    found = []
    for entry in report.results:
        if not entry["failed"]:
            continue
        first = next(f for f in report.failures if _of(f.expectation, f.column, f.settings) == _key(entry))
        said = sentence(first).replace(f"{raw}/", "")
        more = f", and {entry['failed'] - 1:,} more" if entry["failed"] > 1 else ""
        found.append(f"{entry['severity']}: {said}{more}")
    return found
