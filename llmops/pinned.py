"""The version of llmops that a project is held to, in its requirements.txt."""

import re
from pathlib import Path

from llmops.errors import UserError

FILE = "requirements.txt"
_PIN = re.compile(r"^llmops(?:\[[\w,-]*\])?\s*==\s*([\w.+!-]+)", re.MULTILINE)


def installed_version() -> str | None:
    """Return the installed package's version, None when only its source is there."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("llmops")
    except PackageNotFoundError:
        return None


def pin(root: Path, number: str) -> None:
    """Hold the project to that version."""
    (root / FILE).write_text(f"llmops=={number}\n", encoding="utf-8")


def hold(root: Path) -> None:
    """Refuse to run a stage by another version than the pinned one, whose results would pass for its own.

    A project without ``llmops==…`` in its requirements.txt is held to none.

    Raises:
        UserError: another version is installed.
    """
    path = root / FILE
    found = _PIN.search(path.read_text(encoding="utf-8")) if path.is_file() else None
    if found is None:
        return
    installed = installed_version()
    if installed not in (None, found[1]):
        raise UserError(
            f"{path}: pins llmops {found[1]}, and {installed} is installed;"
            f" `pip install -r {FILE}`, or pin {installed} to evaluate anew with it"
        )
