"""Verbs that make a project, bring answers into it, or open a page on it."""

from pathlib import Path

import click

from llmops.places import Places


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def init(folder: Path) -> None:
    """Write a new evaluation project that `dvc repro` evaluates at once."""
    from llmops.starting import main as start

    start(folder)


@click.command("import")
@click.argument("tool")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--name", help="The data set's name; otherwise that of the task in the file.")
@click.pass_obj
def import_answers(places: Places, tool: str, files: tuple[Path, ...], name: str | None) -> None:
    """Turn result files of promptfoo, inspect or lm-eval into a data set with recorded answers."""
    from llmops.importers.catalog import bring

    click.echo(bring(places.root, tool, files, name))


@click.command()
@click.option("--port", type=int, default=5000, show_default=True)
@click.pass_obj
def ui(places: Places, port: int) -> None:
    """Open the MLflow UI on the project's store, on loopback."""
    from llmops.tracking.server import serve

    serve(places.root, port)


@click.command()
@click.option("--port", type=int, default=8501, show_default=True)
@click.pass_obj
def dashboard(places: Places, port: int) -> None:
    """Open the dashboard on the project's files, on loopback."""
    from llmops.dashboard import serve

    serve(places.root, port)


COMMANDS = (
    init,
    import_answers,
    ui,
    dashboard,
)
