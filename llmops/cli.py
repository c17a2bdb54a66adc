"""``llmops <verb>``: every verb is loaded when it is called."""

import atexit
import gc
import sys
from pathlib import Path

import click

from llmops.commands import ahead, flow, people, project, results, stored
from llmops.errors import Stopped, UserError
from llmops.pinned import installed_version
from llmops.places import Places

atexit.register(gc.freeze)  # else the process's end looks through everything once more
# Loading a verb makes much that stays: at the usual 700 it is looked through for 10 ms.
gc.set_threshold(50_000)


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


def _print_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo(f"llmops, version {installed_version() or 'not installed'}")
        context.exit()


@click.group()
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_print_version,
    help="Show the version and exit.",
)
@click.option("--root", type=click.Path(path_type=Path), default=Path(), help="The project's folder.")
@click.pass_context
def cli(context: click.Context, root: Path) -> None:
    """Evaluate and monitor applications built on language models."""
    context.obj = Places(root)


for _family in (flow, results, people, ahead, project, stored):
    for _command in _family.COMMANDS:
        cli.add_command(_command)
