"""Verbs that find something out before a run is paid for."""

from pathlib import Path

import click

from llmops.places import TRYOUTS, Places


@click.command()
@click.argument("datasets", nargs=-1)
@click.pass_obj
def examine(places: Places, datasets: tuple[str, ...]) -> None:
    """Fetch data sets into runs/, all when none is named, and say what is odd in them."""
    from llmops.examine import main as examine_sets

    if code := examine_sets(Places(places.root, TRYOUTS), list(datasets)):
        raise click.exceptions.Exit(code)


@click.command()
@click.argument("suite")
@click.option(
    "--against", type=click.Path(path_type=Path), multiple=True, help="A training text; may be repeated."
)
@click.option(
    "--threshold", type=click.FloatRange(0.5, 1), default=0.9, show_default=True, help="Least similarity."
)
@click.pass_obj
def leaks(places: Places, suite: str, against: tuple[Path, ...], threshold: float) -> None:
    """Name the examples that stand, exactly or nearly, in the few-shot text or in a training text."""
    from llmops.leaks import main as find_leaks

    raise click.exceptions.Exit(find_leaks(Places(places.root, TRYOUTS), suite, list(against), threshold))


@click.command()
@click.argument("models", nargs=-1, metavar="[MODEL]...")
@click.option("--json", "as_json", is_flag=True, help="A list of objects instead of lines.")
@click.pass_obj
def doctor(places: Places, models: tuple[str, ...], as_json: bool) -> None:
    """Ask models, all when none is named, what they can do; exit 1: a suite lacks something, 2: no answer."""
    from llmops.doctor import main as examine_models

    raise click.exceptions.Exit(examine_models(places, list(models), as_json))


@click.command()
@click.argument("suites", nargs=-1)
@click.option("--limit", type=click.IntRange(min=1), help="Of a random sample of so many examples.")
@click.option("--model", "models", multiple=True, help="Of this model of the suite only; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="A list of objects instead of a table.")
@click.pass_obj
def estimate(
    places: Places, suites: tuple[str, ...], limit: int | None, models: tuple[str, ...], as_json: bool
) -> None:
    """Say what a run will ask and cost, with intervals, before it asks anything."""
    from llmops.estimate import Choice
    from llmops.estimate import main as print_estimate
    from llmops.suites import suites_to_run

    names = list(suites) or suites_to_run(places.root)
    print_estimate(Places(places.root, TRYOUTS), names, Choice(list(models) or None, limit), as_json=as_json)


@click.command()
@click.argument("suites", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="A list of objects instead of tables.")
@click.pass_obj
def plan(places: Places, suites: tuple[str, ...], *, as_json: bool) -> None:
    """Say what the examples can decide, how many the rules need, and what more would cost."""
    from llmops.plan import main as print_plan
    from llmops.suites import suites_to_run

    print_plan(places, list(suites) or suites_to_run(places.root), as_json=as_json)


@click.command()
@click.pass_obj
def conformance(places: Places) -> None:
    """Set published figures beside ours, from recorded answers, and write docs/conformance.md."""
    from llmops.conformance import main as write_page

    raise click.exceptions.Exit(write_page(Places(places.root, TRYOUTS)))


COMMANDS = (
    examine,
    leaks,
    doctor,
    estimate,
    plan,
    conformance,
)
