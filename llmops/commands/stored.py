"""The verb `store`: what the response store holds."""

import click

from llmops.places import Places


@click.group(invoke_without_command=True)
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


COMMANDS = (store,)
