"""Data sets fetched into runs/ and held to their expectations, to see what is odd in them."""

from pathlib import Path
from typing import Any

import click

from llmops import jsonl
from llmops.cards.card import load_card, names
from llmops.cards.report import Failure, Report, sentence
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
    """Return a line for each expectation that does not hold: its first failure, and how many more."""
    found = []
    for entry in report.results:
        if entry["failed"]:
            first = sentence(_first(report, entry)).replace(f"{raw}/", "")
            more = f", and {entry['failed'] - 1:,} more" if entry["failed"] > 1 else ""
            found.append(f"{entry['severity']}: {first}{more}")
    return found


def _first(report: Report, entry: dict[str, Any]) -> Failure:
    """Return the first failure of a result, which names its expectation and all of its settings."""
    return next(
        failure
        for failure in report.failures
        if failure.expectation == entry["expect"]
        and failure.settings | ({"column": failure.column} if failure.column else {}) == entry["settings"]
    )
