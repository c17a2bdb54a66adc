"""``llmops <verb>``: every verb is loaded when it is called."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from llmops.errors import Stopped, UserError
from llmops.pinned import hold, installed_version
from llmops.places import OUTS, RESULTS, TRYOUTS, Places


def main(arguments: list[str] | None = None) -> None:
    """Run a verb; what the user can mend is one line on stderr and exit code 2.

    Args:
        arguments: the words after ``llmops``; those of the command line when None.
    """
    try:
        if code := cli(arguments, standalone_mode=False):
            sys.exit(code)
    except click.Abort:
        _stop("stopped; what was answered is stored, and the same command goes on from there", 130)
    except click.ClickException as problem:
        _stop(f"llmops: {problem.format_message()}; see `llmops --help`", 2)
    except Stopped as stopped:
        _stop(str(stopped), 130)
    except UserError as problem:
        _stop(str(problem), 2)
    except OSError as problem:
        if _is_full(problem):
            _stop(f"{problem.filename or 'disk'}: the disk is full; free some space and run it again", 2)
        raise


def _stop(line: str, code: int) -> None:
    print(" ".join(line.split("\n")), file=sys.stderr)
    sys.exit(code)


def _is_full(problem: OSError) -> bool:
    import errno

    return problem.errno in (errno.ENOSPC, errno.EDQUOT)


@click.group()
@click.version_option(installed_version() or "not installed", package_name="llmops")
@click.option("--root", type=click.Path(path_type=Path), default=Path(), help="The project's folder.")
@click.pass_context
def cli(context: click.Context, root: Path) -> None:
    """Evaluate and monitor applications built on language models."""
    context.obj = Places(root)


def _stage(name: str, help_text: str) -> None:
    """Add the verb of a stage that takes one suite."""

    @cli.command(name, help=help_text)
    @click.argument("suite")
    @click.pass_obj
    def verb(places: Places, suite: str) -> None:
        _load(name)(places, suite)


def _load(stage: str) -> Callable[..., Any]:
    from importlib import import_module

    hold(click.get_current_context().obj.root)
    verb: Callable[..., Any] = import_module(f"llmops.stages.{stage}").main
    return verb


@cli.command()
@click.pass_obj
def fetch(places: Places) -> None:
    """Fetch the data sets that params.yaml's `run` needs, checksums verified."""
    _load("fetch")(places)


@cli.command()
@click.argument("datasets", nargs=-1)
@click.pass_obj
def examine(places: Places, datasets: tuple[str, ...]) -> None:
    """Fetch data sets into runs/, all when none is named, and say what is odd in them."""
    from llmops.examine import main as examine_sets

    if code := examine_sets(Places(places.root, TRYOUTS), list(datasets)):
        raise click.exceptions.Exit(code)


@cli.command()
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


@cli.command()
@click.argument("models", nargs=-1, metavar="[MODEL]...")
@click.option("--json", "as_json", is_flag=True, help="A list of objects instead of lines.")
@click.pass_obj
def doctor(places: Places, models: tuple[str, ...], as_json: bool) -> None:
    """Ask models, all when none is named, what they can do; exit 1: a suite lacks something, 2: no answer."""
    from llmops.doctor import main as examine_models

    raise click.exceptions.Exit(examine_models(places, list(models), as_json))


@cli.command()
@click.pass_obj
def conformance(places: Places) -> None:
    """Set published figures beside ours, from recorded answers, and write docs/conformance.md."""
    from llmops.conformance import main as write_page

    raise click.exceptions.Exit(write_page(Places(places.root, TRYOUTS)))


@cli.command()
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


@cli.group()
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


@cli.group()
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


_stage("validate", "Read a suite's data set as Examples, held to Great Expectations.")
_stage("generate", "Ask the suite's models; answers that are stored are not asked again.")
_stage("score", "Measure every answer.")
_stage("compare", "Estimates with intervals, and differences to the baseline.")
_stage("publish", "Log the suite to MLflow and write its report.")


@cli.command()
@click.argument("suite")
@click.option("--injections", is_flag=True, help="Say how often a text in an answer moves a verdict.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=20, show_default=True, help="Answers that take injections."
)
@click.option("--from", "out", type=click.Choice(OUTS), default=RESULTS, show_default=True)
@click.pass_obj
def judge(places: Places, suite: str, limit: int, out: str, *, injections: bool) -> None:
    """Show the answers to the suite's judges; verdicts that are stored are not asked for again."""
    places = Places(places.root, out)
    if injections:
        from llmops.injections import main as inject

        inject(places, suite, limit)
    else:
        _load("judge")(places, suite)


@cli.command()
@click.argument("suites", nargs=-1)
@click.option(
    "--check", is_flag=True, help="Judge nothing anew: exit 0 all passed, 1 failed, 3 inconclusive."
)
@click.option("--from", "out", type=click.Choice(OUTS), default=RESULTS, show_default=True)
@click.pass_obj
def gate(places: Places, suites: tuple[str, ...], check: bool, out: str) -> None:
    """Judge a suite's estimates by its rules."""
    from llmops.stages import gate as stage
    from llmops.suites import suites_to_run

    places = Places(places.root, out)
    names = list(suites) or suites_to_run(places.root)
    if not check:
        hold(places.root)
        for name in names:
            stage.main(places, name)
        return
    found, code = stage.check(places, names)
    for verdict in found:
        run_name = f"{verdict.suite}: {verdict.model} · {verdict.prompt}"
        click.echo(f"{verdict.outcome}: {run_name}: {verdict.rule}: {verdict.reason}")
    raise click.exceptions.Exit(code)


@cli.command()
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


@cli.group()
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


@cli.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def init(folder: Path) -> None:
    """Write a new evaluation project that `dvc repro` evaluates at once."""
    from llmops.starting import main as start

    start(folder)


@cli.command("import")
@click.argument("tool")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--name", help="The data set's name; otherwise that of the task in the file.")
@click.pass_obj
def import_answers(places: Places, tool: str, files: tuple[Path, ...], name: str | None) -> None:
    """Turn result files of promptfoo, inspect or lm-eval into a data set with recorded answers."""
    from llmops.importers.catalog import bring

    click.echo(bring(places.root, tool, files, name))


@cli.command()
@click.argument("suites", nargs=-1, required=True)
@click.option("--limit", type=click.IntRange(min=1), help="Ask a random sample of so many examples.")
@click.option("--model", "models", multiple=True, help="Ask only this model of the suite; may be repeated.")
@click.option("--sequential", is_flag=True, help="Ask each run only until its rules are decided.")
@click.pass_obj
def run(
    places: Places, suites: tuple[str, ...], limit: int | None, models: tuple[str, ...], *, sequential: bool
) -> None:
    """Do all stages in one process without DVC, into runs/, for trying things out."""
    from llmops.tryout import main as try_out

    hold(places.root)
    chosen = list(models) or None
    try_out(Places(places.root, TRYOUTS), list(suites), chosen, limit, sequential=sequential)


@cli.command()
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


@cli.command()
@click.argument("suites", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="A list of objects instead of tables.")
@click.pass_obj
def plan(places: Places, suites: tuple[str, ...], *, as_json: bool) -> None:
    """Say what the examples can decide, how many the rules need, and what more would cost."""
    from llmops.plan import main as print_plan
    from llmops.suites import suites_to_run

    print_plan(places, list(suites) or suites_to_run(places.root), as_json=as_json)


@cli.command()
@click.argument("suites", nargs=-1)
@click.option("--at", type=click.DateTime(["%Y-%m-%d"]), help="The price table of this day, UTC.")
@click.option("--prices", type=click.Path(path_type=Path), help="A YAML file of model: price.")
@click.option("--json", "as_json", is_flag=True, help="A list of objects instead of a table.")
@click.pass_obj
def reprice(
    places: Places, suites: tuple[str, ...], at: datetime | None, prices: Path | None, as_json: bool
) -> None:
    """Say what the newest answers would cost at other prices, from their raw usage."""
    when = None if at is None else at.replace(tzinfo=UTC)
    _load("reprice")(places, list(suites), when, prices, as_json=as_json)


@cli.command()
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


@cli.command()
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


RUN = "an MLflow run's id or name, a folder of results or a suite, the last two also as SUITE:MODEL:PROMPT"


@cli.command(help=f"Make a run's scores and estimates anew; exit 0 equal, 1 different.\n\nRUN: {RUN}.")
@click.argument("run")
@click.pass_obj
def verify(places: Places, run: str) -> None:
    """Say whether a run's numbers come out of its answers anew."""
    raise click.exceptions.Exit(_load("verify")(places, run))


@cli.command(help=f"Say which inputs of two runs differ and which examples flipped.\n\nRUN: {RUN}.")
@click.argument("run_a", metavar="RUN_A")
@click.argument("run_b", metavar="RUN_B")
@click.option("--limit", type=click.IntRange(min=0), default=10, show_default=True, help="Flips to print.")
@click.option("--json", "as_json", is_flag=True, help="A list of objects, with every flip.")
@click.pass_obj
def why(places: Places, run_a: str, run_b: str, limit: int, as_json: bool) -> None:
    """Say why the numbers of two runs differ."""
    _load("why")(places, run_a, run_b, limit=limit, as_json=as_json)


@cli.command()
@click.argument("suite")
@click.option("-o", "file", metavar="FILE", required=True, type=click.Path(path_type=Path))
@click.option("--from", "out", type=click.Choice(OUTS), help="Of this folder, not the newest.")
@click.pass_obj
def record(places: Places, suite: str, file: Path, out: str | None) -> None:
    """Write all that a suite's run was answered into a file, from which it can be replayed."""
    from llmops.recordings import record as write

    write(places.root, suite, file, out)


@cli.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def replay(places: Places, file: Path) -> None:
    """Do a recorded run again into runs/, without models, keys or network; exit 1 if it differs."""
    from llmops.recordings import replay as replayed
    from llmops.tryout import main as try_out

    def again(tryouts: Places, suite: str, models: list[str], limit: int) -> None:
        try_out(tryouts, [suite], models, limit, file)

    hold(places.root)
    raise click.exceptions.Exit(replayed(places.root, file, again))


@cli.group(invoke_without_command=True)
@click.pass_context
def store(context: click.Context) -> None:
    """Say what the response store holds; see `llmops store --help` for what else can be done with it."""
    if context.invoked_subcommand is None:
        from llmops.inventory import summary

        summary(context.obj.root)


@store.command("verify")
@click.option("--repair", is_flag=True, help="Take out what is damaged, so that it is asked anew.")
@click.pass_obj
def verify_store(places: Places, *, repair: bool) -> None:
    """Read every answer and say which are damaged; exit 0 whole or repaired, 1 damaged."""
    from llmops.inventory import verify

    raise click.exceptions.Exit(verify(places.root, repair=repair))


@store.command("prune")
@click.option("--max-mb", type=click.FloatRange(min=0), help="Megabytes that the file may have afterwards.")
@click.option(
    "--older-than", metavar="DAYS", type=click.FloatRange(min=0), help="Remove what was unused for so long."
)
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and remove nothing.")
@click.pass_obj
def prune_store(places: Places, *, max_mb: float | None, older_than: float | None, dry_run: bool) -> None:
    """Remove answers, those that were not used for longest first; they would have to be asked anew."""
    from llmops.inventory import prune

    prune(places.root, max_mb, older_than, dry_run=dry_run)


@store.command("show")
@click.argument("key")
@click.pass_obj
def show_answer(places: Places, key: str) -> None:
    """Print an answer with its request, as JSON; KEY may be the beginning of its sha256."""
    from llmops.inventory import show

    show(places.root, key)


@cli.command()
@click.option("--port", type=int, default=5000, show_default=True)
@click.pass_obj
def ui(places: Places, port: int) -> None:
    """Open the MLflow UI on the project's store, on loopback."""
    from llmops.tracking.server import serve

    serve(places.root, port)


@cli.command()
@click.option("--port", type=int, default=8501, show_default=True)
@click.pass_obj
def dashboard(places: Places, port: int) -> None:
    """Open the dashboard on the project's files, on loopback."""
    from llmops.dashboard import serve

    serve(places.root, port)
