"""A new evaluation project, written from what the package carries."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from llmops.errors import UserError
from llmops.pinned import FILE, pin

STARTER = Path(__file__).parent / "starter"
CHECKOUT = STARTER.parent.parent
CARRIED = "llmops/starter/shared"
"""Where the wheel keeps the files that a new project shares with llmops' own repository."""

OWN = {"README.md": "README.md", "gitignore": ".gitignore", "evaluate.yml": ".github/workflows/evaluate.yml"}
"""File of the starter → its place in a project."""

PLAN, PARAMS = "dvc.yaml", "params.yaml"
WRITTEN_ANEW = ("run", "suites", "models", "judges")
"""The sections of params.yaml that a new project has of its own."""


class Shared(NamedTuple):
    """What a new project takes over from llmops: the version, and path in the project → source."""

    version: str
    files: dict[str, Path]


def main(folder: Path) -> None:
    """Write a project into ``folder``, under git and DVC, that ``dvc repro`` evaluates at once.

    Raises:
        UserError: the folder holds something already, or DVC cannot be set up in it.
    """
    if folder.exists() and (not folder.is_dir() or {path.name for path in folder.iterdir()} - {".git"}):
        raise UserError(f"{folder}: is not empty; name a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    shared = _shared()
    for goal, source in [*shared.files.items(), *((goal, STARTER / name) for name, goal in OWN.items())]:
        (folder / goal).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, folder / goal)
    _write(folder / PLAN, plan(shared.files[PLAN].read_text(encoding="utf-8")))
    _write(folder / PARAMS, params(shared.files[PARAMS].read_text(encoding="utf-8")))
    pin(folder, shared.version)
    _under_git(folder)
    _under_dvc(folder)
    print(
        f"{folder}: two demo models and a certified judge. Next:\n  cd {folder}\n  dvc repro\n  llmops show"
    )


def plan(text: str) -> str:
    """Return dvc.yaml with the pinned version of llmops in the place of its source files."""
    stages = text[text.index("stages:") :]
    pinned = re.sub(r"( +- )llmops/.*\n(?: +- llmops/.*\n)*", rf"\1{FILE}\n", stages)
    return (
        "# The flow. A new suite, data set, prompt or model is written in params.yaml and files, not here.\n"
        f"# Each stage depends on {FILE}, so that another version of llmops runs it anew.\n{pinned}"
    )


def params(text: str) -> str:
    """Return the starter's suites and models with the settings of llmops' own params.yaml."""
    own = (STARTER / PARAMS).read_text(encoding="utf-8")
    mine = re.compile(rf"(?:#.*\n)*(?:{'|'.join(WRITTEN_ANEW)}):")
    settings = [part for part in re.split(r"\n\n(?=[#\w])", text.rstrip("\n")) if not mine.match(part)]
    return "\n\n".join([own.rstrip("\n"), *settings]) + "\n"


def _shared() -> Shared:
    """Return what the wheel carries, or in a checkout what the wheel would carry."""
    kept = CHECKOUT / CARRIED
    if kept.is_dir():
        return Shared(version("llmops"), {path.relative_to(kept).as_posix(): path for path in _files(kept)})
    project: dict[str, Any] = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
    table = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    names = [name for name, goal in table.items() if goal.startswith(f"{CARRIED}/")]
    found = [path for name in names for path in _files(CHECKOUT / name)]
    files = {path.relative_to(CHECKOUT).as_posix(): path for path in found}
    return Shared(project["project"]["version"], files)


def _files(path: Path) -> Iterator[Path]:
    yield from [path] if path.is_file() else sorted(each for each in path.rglob("*") if each.is_file())


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _under_git(folder: Path) -> None:
    """Make the folder a git repository, unless it lies in one or there is no git."""
    if shutil.which("git") and not _in_git(folder):
        _run(folder, "git", "init", "--quiet")


def _in_git(folder: Path) -> bool:
    return bool(shutil.which("git")) and _done(folder, "git", "rev-parse", "--git-dir").returncode == 0


def _under_dvc(folder: Path) -> None:
    dvc = [sys.executable, "-m", "dvc"]
    whole = (folder / ".git").exists()
    _run(
        folder, *dvc, "init", "--quiet", *([] if whole else ["--subdir"] if _in_git(folder) else ["--no-scm"])
    )
    _run(folder, *dvc, "config", "core.analytics", "false")
    with (folder / ".dvc" / ".gitignore").open("a", encoding="utf-8") as file:
        file.write("/llmops\n")  # stored answers, downloads, MLflow's files


def _run(folder: Path, *words: str) -> None:
    done = _done(folder, *words)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no word why"])[-1]
        raise UserError(
            f"{folder}: `{Path(words[0]).name} {' '.join(words[1:])}`: {said}; mend that, and run it there"
        )


def _done(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603
        words,
        cwd=folder,
        env={**os.environ, "DVC_NO_ANALYTICS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
