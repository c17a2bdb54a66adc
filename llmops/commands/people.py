"""Verbs around what people and judges say of answers."""

from datetime import UTC, datetime
from pathlib import Path

import click

from llmops.pinned import hold
from llmops.places import Places


@click.group()
def label() -> None:
    """Bring labels in from a CSV file, or answers out to be labelled."""


@label.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def import_labels(places: Places, file: Path) -> None:
    """Write a CSV file's labels to data/labels/SUITE.jsonl."""
    from llmops.labelling import bring

    click.echo(bring(places.root, file))


@label.command("export")
@click.argument("suite")
@click.option("-o", "file", metavar="FILE", required=True, type=click.Path(path_type=Path))
@click.pass_obj
def export_labels(places: Places, suite: str, file: Path) -> None:
    """Write a suite's answers to a CSV file that people label."""
    from llmops.labelling import send

    click.echo(send(places.root, suite, file))


@label.command("next")
@click.argument("suite")
@click.option("-o", "file", metavar="FILE", required=True, type=click.Path(path_type=Path))
@click.option("-n", "count", type=int, default=50, show_default=True, help="Examples to draw.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the draw.")
@click.option("--random", is_flag=True, help="All examples alike, in place of where labels teach most.")
@click.pass_obj
def next_labels(places: Places, suite: str, file: Path, count: int, seed: int, *, random: bool) -> None:
    """Draw what to label next and write it to a CSV file, likelier where a label teaches more."""
    from llmops.next_labels import Wish, draw_next

    at = datetime.now(UTC).isoformat(timespec="seconds")
    click.echo(draw_next(places.root, suite, Wish(count, at, seed, random), file))


@click.command()
@click.argument("judge")
@click.option("--labels", type=click.Path(path_type=Path), help="The labels; else data/labels/SUITE.jsonl.")
@click.option(
    "--suite", help="Whose answers were judged; else that of the labels, or the only one with the judge."
)
@click.pass_obj
def certify(places: Places, judge: str, labels: Path | None, suite: str | None) -> None:
    """Set a judge's verdicts beside people's labels; exit 1: below the bar of params.yaml."""
    from llmops.certify import main as write_card

    raise click.exceptions.Exit(write_card(places.root, judge, labels, suite))


@click.group()
def export() -> None:
    """Write what was found out in the shape that other programs read."""


@export.command("preferences")
@click.argument("suite")
@click.option("-o", "file", metavar="FILE", required=True, type=click.Path(path_type=Path))
@click.pass_obj
def export_preferences(places: Places, suite: str, file: Path) -> None:
    """Write the pairs that judges and people told apart, for preference training (DPO, reward models)."""
    from llmops.preferences import export as write

    click.echo(write(places.root, suite, file))


@click.command()
@click.argument("suite")
@click.option("--freeze", "freezing", is_flag=True, help="Ask and keep the canaries that later nights go by.")
@click.pass_obj
def sentinel(places: Places, suite: str, *, freezing: bool) -> None:
    """Ask frozen canaries again; exit 0 nothing moved, 1 model, judge or scoring moved, 3 too few to tell."""
    from llmops.sentinel import freeze, watch

    hold(places.root)
    now = datetime.now(UTC)
    if freezing:
        freeze(places, suite, now)
    else:
        raise click.exceptions.Exit(watch(places, suite, now))


COMMANDS = (
    label,
    certify,
    export,
    sentinel,
)
