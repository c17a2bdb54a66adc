"""Where files live: outs, tryouts, and the state that outlives a run."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from llmops.errors import UserError

RESULTS = "results"
TRYOUTS = "runs"
OUTS = (RESULTS, TRYOUTS)
STORE = "store.db"
"""The response store's file in the state folder."""


class Places(NamedTuple):
    """The project's root, the folder below it that takes the stages' files, and the store of answers."""

    root: Path
    out: str = RESULTS
    store: str = STORE
    """The response store's file, below the state folder."""

    def suite(self, suite: str, *names: str) -> Path:
        """Return a path below the suite's folder."""
        return self.root.joinpath(self.out, suite, *names)

    def raw(self, dataset: str) -> Path:
        """Return the folder of a data set's files as they were published."""
        base = "data/raw" if self.out == RESULTS else f"{self.out}/raw"
        return self.root / base / dataset


def newest(root: Path, suite: str | None = None, outs: Sequence[str] = OUTS) -> dict[str, Places]:
    """Return suite → the folder where it was written last; all suites when none is named."""
    found: dict[str, tuple[float, Places]] = {}
    for out in outs:
        for path in (root / out).glob("*/estimates.jsonl"):
            name, age = path.parent.name, path.stat().st_mtime
            if suite in (None, name) and (name not in found or age > found[name][0]):
                found[name] = age, Places(root, out)
    return {name: places for name, (_, places) in sorted(found.items())}


def watched(file: str, folders: Sequence[str], where: str) -> str:
    """Return a file's name, if DVC sees its edits: below one of the folders that a stage depends on.

    Raises:
        UserError: it lies elsewhere, so that an edit of it would re-run nothing.
    """
    if file.partition("/")[0] in folders:
        return file
    raise UserError(
        f"{where}: {file!r} lies where no edit would be seen; put it below one of {list(folders)}"
    )


def project_file(root: Path, name: str, where: str) -> Path:
    """Return the path of a file of the project's, its links followed.

    A link may lead into DVC's cache, where DVC keeps what it tracks.

    Raises:
        UserError: it leads out of the project's folder, or there is no such file (the message starts
            with ``where``).
    """
    path = (root / name).resolve()
    if not (
        path.is_relative_to(root.resolve()) or path.is_relative_to(_cache_folder(root / ".dvc").resolve())
    ):
        raise UserError(f"{where}: {name!r} leads out of the project's folder; give a path below it")
    if not path.is_file():
        raise UserError(f"{where}: no file {name!r}; give a path below the project's folder")
    return path


def state_folder(root: Path) -> Path:
    """Return the folder of what outlives a run: response store, spend, downloads, MLflow's files.

    It lies beside DVC's cache, as DVC's own configuration names it, so that copies of the
    project made by ``dvc exp run --temp`` share it. ``LLMOPS_STATE`` overrides it; outside a
    DVC project it is ``.llmops``.
    """
    if named := os.environ.get("LLMOPS_STATE"):
        return Path(named).resolve()
    control = root / ".dvc"
    if not control.is_dir():
        return (root / ".llmops").resolve()
    return (_cache_folder(control).parent / "llmops").resolve()


def _cache_folder(control: Path) -> Path:
    import configparser

    for name in ("config.local", "config"):
        parser = configparser.ConfigParser(interpolation=None)
        parser.read(control / name, encoding="utf-8")
        if folder := parser.get("cache", "dir", fallback=None):
            return control / folder
    return control / "cache"


def mirror() -> Path | None:
    """Return the folder that stands in for public addresses (``LLMOPS_DATA_MIRROR``), if any."""
    named = os.environ.get("LLMOPS_DATA_MIRROR")
    return Path(named) if named else None
