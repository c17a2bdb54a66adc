"""Verbs that tell of runs there are, hold them against others, or keep them."""

from datetime import UTC, datetime
from pathlib import Path

import click

from llmops.commands.loading import stage
from llmops.pinned import hold
from llmops.places import OUTS, RESULTS, Places


@click.command()
@click.argument("suite", required=False)
@click.option("--json", "as_json", is_flag=True, help="A list of objects instead of a table.")
@click.option("--slices", is_flag=True, help="The slices as well.")
@click.option("--signatures", is_flag=True, help="What each number rests on, as well.")
@click.option("--from", "out", type=click.Choice(OUTS), help="Of this folder, not the newest.")
@click.pass_obj
def show(places: Places, /, suite: str | None, out: str | None, **view: bool) -> None:
    """Print the latest estimates."""
    from llmops.stages.show import View
    from llmops.stages.show import main as print_estimates

    print_estimates(places, suite, out, View(**view))


@click.command()
@click.argument("suite")
@click.option("--format", "form", type=click.Choice(["md", "junit", "json", "html"]), default="md")
@click.option("-o", "file", metavar="FILE", type=click.Path(path_type=Path), help="Instead of stdout.")
@click.option("--against", metavar="RUN", help="A run as `why` takes it, or a git revision.")
@click.pass_obj
def report(places: Places, suite: str, form: str, file: Path | None, against: str | None) -> None:
    """Write a suite's verdicts, estimates and changes, for people or for CI."""
    from llmops.reporting import report as write

    text = write(places, suite, form, against)
    if file is None:
        click.echo(text, nl=False)
    else:
        file.write_text(text, encoding="utf-8")


RUN = "an MLflow run's id or name, a folder of results or a suite, the last two also as SUITE:MODEL:PROMPT"


@click.command(help=f"Make a run's scores and estimates anew; exit 0 equal, 1 different.\n\nRUN: {RUN}.")
@click.argument("run")
@click.pass_obj
def verify(places: Places, run: str) -> None:
    """Say whether a run's numbers come out of its answers anew."""
    raise click.exceptions.Exit(stage(places.root, "verify")(places, run))


@click.command(help=f"Say which inputs of two runs differ and which examples flipped.\n\nRUN: {RUN}.")
@click.argument("run_a", metavar="RUN_A")
@click.argument("run_b", metavar="RUN_B")
@click.option("--limit", type=click.IntRange(min=0), default=10, show_default=True, help="Flips to print.")
@click.option("--json", "as_json", is_flag=True, help="A list of objects, with every flip.")
@click.pass_obj
def why(places: Places, run_a: str, run_b: str, limit: int, as_json: bool) -> None:
    """Say why the numbers of two runs differ."""
    stage(places.root, "why")(places, run_a, run_b, limit=limit, as_json=as_json)


@click.command()
@click.argument("suites", nargs=-1)
@click.option("--at", type=click.DateTime(["%Y-%m-%d"]), help="The price table of this day, UTC.")
@click.option("--prices", type=click.Path(path_type=Path), help="A YAML file of model: price.")
@click.option("--json", "as_json", is_flag=True, help="A list of objects instead of a table.")
@click.pass_obj
def reprice(
    places: Places, suites: tuple[str, ...], at: datetime | None, prices: Path | None, as_json: bool
) -> None:
    """Say what the newest answers, verdicts left out, would cost at other prices, from their raw usage."""
    when = None if at is None else at.replace(tzinfo=UTC)
    stage(places.root, "reprice")(places, list(suites), when, prices, as_json=as_json)


@click.group()
def baseline() -> None:
    """Keep what differences are taken to."""


@baseline.command("accept")
@click.argument("suite")
@click.option("--model", required=True)
@click.option("--prompt", required=True)
@click.option("--why", required=True, metavar="TEXT", help="Kept with your git name and the time.")
@click.option("--from", "out", type=click.Choice(OUTS), default=RESULTS, show_default=True)
@click.pass_obj
def accept_baseline(places: Places, suite: str, model: str, prompt: str, why: str, out: str) -> None:
    """Write a run's scores to baselines/SUITE.jsonl, which a suite's `baseline: {file: …}` names."""
    from llmops.acceptance import accept

    path = accept(Places(places.root, out), suite, model, prompt, why)
    click.echo(f"{path}: accepted; hold differences to it by `baseline: {{file: baselines/{path.name}}}`")


@click.command()
@click.argument("suite")
@click.option("-o", "file", metavar="FILE", required=True, type=click.Path(path_type=Path))
@click.option("--from", "out", type=click.Choice(OUTS), help="Of this folder, not the newest.")
@click.pass_obj
def record(places: Places, suite: str, file: Path, out: str | None) -> None:
    """Write all that a suite's run was answered into a file, from which it can be replayed."""
    from llmops.recordings import record as write

    write(places.root, suite, file, out)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def replay(places: Places, file: Path) -> None:
    """Do a recorded run again into runs/, without models, keys or network; exit 1 if it differs."""
    from llmops.models.recording import Header
    from llmops.recordings import replay as replayed
    from llmops.tryout import main as try_out

    def again(tryouts: Places, run: Header) -> None:
        models = run.asked or list(run.models)
        try_out(tryouts, [run.suite], models, run.examples, file, sequential=run.sequential)

    hold(places.root)
    raise click.exceptions.Exit(replayed(places.root, file, again))


COMMANDS = (
    show,
    report,
    verify,
    why,
    reprice,
    baseline,
    record,
    replay,
)
