"""Records to files and back: one JSON object a line, replaced whole or not at all."""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from llmops.errors import UserError

T = TypeVar("T")


class Malformed(UserError):
    """A line that is no such record."""


_encoder = msgspec.json.Encoder()


def read(path: Path, kind: type[T]) -> Iterator[T]:
    """Yield the file's rows as ``kind``.

    Raises:
        UserError: the file is missing.
        Malformed: a line is no such record (names file and line).
    """
    return (row for _, row in placed(path, kind))


def placed(path: Path, kind: type[T]) -> Iterator[tuple[int, T]]:
    """Yield each row's offset in the file, in bytes, with the row; raises what ``read`` does."""
    decoder = msgspec.json.Decoder(kind)
    for number, offset, content in _lines(path):
        try:
            yield offset, decoder.decode(content)
        except msgspec.DecodeError as problem:
            raise Malformed(f"{path}:{number}: {problem}; a line must be one {kind.__name__}") from None
        except UnicodeDecodeError:
            raise Malformed(f"{path}:{number}: not UTF-8; save the file as UTF-8") from None


def _lines(path: Path) -> Iterator[tuple[int, int, bytes]]:
    """Yield (line, offset, content) of each line that is not empty."""
    offset = 0
    try:
        with path.open("rb") as file:
            for number, content in enumerate(file, 1):
                if not content.isspace():
                    yield number, offset, content
                offset += len(content)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; run the stage that writes it first") from None


def lines_at(path: Path, offsets: Iterable[int]) -> Iterator[bytes]:
    """Yield the line that begins at each offset, in bytes; those that follow each other cost least."""
    here = 0
    with path.open("rb") as file:
        for offset in offsets:
            if offset != here:
                file.seek(offset)
            line = file.readline()
            here = offset + len(line)
            yield line


def line(row: Any) -> bytes:
    """Return a row as its line in a file."""
    return _encoder.encode(row) + b"\n"


def read_any(path: Path, kind: type[T]) -> list[T]:
    """Return a file's rows, none where there is no such file.

    Raises:
        Malformed: as ``read``.
    """
    return list(read(path, kind)) if path.is_file() else []


def write(path: Path, rows: Iterable[Any]) -> int:
    """Write rows as JSON lines, whole or not at all, and return how many there were."""
    return write_lines(path, map(line, rows))


def write_lines(path: Path, lines: Iterable[bytes]) -> int:
    """Write lines, whole or not at all, and return how many there were."""
    count = 0

    def put(file: Any) -> None:
        nonlocal count
        for each in lines:
            file.write(each)
            count += 1

    _replace(path, put)
    return count


def sha256(rows: Iterable[Any]) -> str:
    """Return the sha256 of the file that `write` makes of the rows."""
    whole = hashlib.sha256()
    for row in rows:
        whole.update(line(row))
    return whole.hexdigest()


def write_json(path: Path, value: Any) -> None:
    """Write one value as indented JSON, whole or not at all."""
    text = msgspec.json.format(_encoder.encode(value), indent=2)
    write_text(path, text.decode() + "\n")


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text, whole or not at all."""
    _replace(path, lambda file: file.write(text.encode()))


def append(path: Path, rows: Iterable[Any]) -> None:
    """Add rows at the end in one write, so that two processes' lines do not mix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(b"".join(map(line, rows)))


def _replace(path: Path, put: Callable[[Any], object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with draft.open("wb") as file:
            put(file)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
