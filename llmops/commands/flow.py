"""The verbs of the flow: a data set to verdicts and to MLflow."""

import click

from llmops.commands.loading import stage
from llmops.pinned import hold
from llmops.places import OUTS, RESULTS, TRYOUTS, Places


def _of_one_suite(name: str, help_text: str) -> click.Command:
    """Return the verb of a stage that takes one suite."""

    @click.command(name, help=help_text)
    @click.argument("suite")
    @click.pass_obj
    def verb(places: Places, suite: str) -> None:
        stage(places.root, name)(places, suite)

    return verb


@click.command()
@click.pass_obj
def fetch(places: Places) -> None:
    """Fetch the data sets that params.yaml's `run` needs, checksums verified."""
    stage(places.root, "fetch")(places)


@click.command()
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
        stage(places.root, "judge")(places, suite)


@click.command()
@click.argument("suites", nargs=-1)
@click.option(
    "--check", is_flag=True, help="Judge nothing anew: exit 0 all passed, 1 failed, 3 inconclusive."
)
@click.option("--from", "out", type=click.Choice(OUTS), default=RESULTS, show_default=True)
@click.pass_obj
def gate(places: Places, suites: tuple[str, ...], check: bool, out: str) -> None:
    """Judge a suite's estimates by its rules."""
    from llmops.stages import gate as gating
    from llmops.suites import suites_to_run

    places = Places(places.root, out)
    names = list(suites) or suites_to_run(places.root)
    if not check:
        hold(places.root)
        for name in names:
            gating.main(places, name)
        return
    found, code = gating.check(places, names)
    for verdict in found:
        run_name = f"{verdict.suite}: {verdict.model} · {verdict.prompt}"
        click.echo(f"{verdict.outcome}: {run_name}: {verdict.rule}: {verdict.reason}")
    raise click.exceptions.Exit(code)


@click.command()
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


COMMANDS = (
    fetch,
    _of_one_suite("validate", "Read a suite's data set as Examples, held to Great Expectations."),
    _of_one_suite("generate", "Ask the suite's models; answers that are stored are not asked again."),
    _of_one_suite("score", "Measure every answer."),
    _of_one_suite("compare", "Estimates with intervals, and differences to the baseline."),
    _of_one_suite("publish", "Log the suite to MLflow and write its report."),
    judge,
    gate,
    run,
)
