"""Files that a model is made of: where they lie, and their hashes."""

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from llmops.errors import UserError


def project_file(name: str, root: Path, file: str) -> Path:
    """Return the path of a file that the model ``name`` is made of.

    A link may lead elsewhere: weights are large, and often kept in one place.

    Raises:
        UserError: there is no such file, or its path leads out of the project's folder.
    """
    path = root / _inside(name, file)
    if not path.is_file():
        raise UserError(f"models.{name}: file: {file!r} is no file; give a path below the project's folder")
    return path


def project_files(name: str, root: Path, pattern: str) -> list[Path]:
    """Return the paths that a pattern with ``*`` means, in their order; of a name without one, its file.

    Raises:
        UserError: there is no such file, or its path leads out of the project's folder.
    """
    found = sorted(root.glob(_inside(name, pattern))) if "*" in pattern else []
    return found or [project_file(name, root, pattern)]


def model_folder(name: str, root: Path, model: str) -> Path:
    """Return where a model's folder would lie; there is none where ``model`` is a name on the hub.

    A link may lead elsewhere, as with ``project_file``.

    Raises:
        UserError: its path leads out of the project's folder.
    """
    return root / _inside(name, model, "model")


def _inside(name: str, file: str, field: str = "file") -> str:
    if Path(file).is_absolute() or ".." in Path(file).parts:
        where = f"models.{name}: {field}"
        raise UserError(f"{where}: {file!r} leads out of the project's folder; give a path below it")
    return file


def sha256_of(path: Path) -> str:
    """Return the file's sha256 as hex, read once a process for as long as the file stays the same."""
    state = path.stat()
    return _sha256(path, state.st_size, state.st_mtime_ns)


def sha256_of_all(paths: Iterable[Path], below: Path) -> str:
    """Return one sha256 for several files, their names below ``below`` included."""
    lines = [f"{path.relative_to(below).as_posix()} {sha256_of(path)}\n" for path in sorted(paths)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


@lru_cache(maxsize=256)
def _sha256(path: Path, size: int, changed_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
