"""What made a run: the commit, the hashes of everything that went in, the versions."""

import hashlib
import os
import platform
import subprocess
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("llmops", "mlflow", "dvc", "evaluate", "openai", "great-expectations", "sacrebleu", "xllamacpp")
"""The packages whose version can change a number."""


def sha256(paths: Iterable[Path]) -> str:
    """Return one hash of files' bytes and of their order."""
    whole = hashlib.sha256()
    for path in paths:
        whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


def code_sha256() -> str:
    """Return one hash of the package's source."""
    package = Path(__file__).parent
    return sha256(sorted(package.rglob("*.py")))


def git(root: Path) -> dict[str, str]:
    """Return the commit and whether tracked files differ from it; nothing outside a repository."""
    commit = _git(root, "rev-parse", "HEAD")
    if commit is None:
        return {}
    changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    found = {"git.commit": commit, "git.dirty": "unknown" if changed is None else str(bool(changed)).lower()}
    if experiment := os.environ.get("DVC_EXP_NAME"):
        found["dvc.experiment"] = experiment
    return found


def _git(root: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603
            ["git", "-C", str(root), *words],  # noqa: S607
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that can change a number."""
    found = {"version.python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[f"version.{name}"] = version(name)
        except PackageNotFoundError:
            continue
    return found
