"""Rows of a JSON-lines file by their number, read from the disk when they are wanted."""

from array import array
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec

from llmops import jsonl

T = TypeVar("T")


class Indexed(Generic[T]):
    """The rows of a file in 8 bytes of memory a row; the file must not change meanwhile.

    Args:
        wanted: the rows to keep; all when None.

    Raises:
        UserError: the file is missing.
        Malformed: a line is no such record (names file and line).
    """

    def __init__(self, path: Path, kind: type[T], wanted: Callable[[T], bool] | None = None) -> None:
        self._path = path
        self._decode: Callable[[bytes], Any] = msgspec.json.Decoder(kind).decode
        placed = jsonl.placed(path, kind)
        self._offsets = array("Q", (at for at, row in placed if wanted is None or wanted(row)))

    def __len__(self) -> int:
        return len(self._offsets)

    def __iter__(self) -> Iterator[T]:
        return self._read(self._offsets)

    def at(self, numbers: Iterable[int]) -> Iterator[T]:
        """Yield the rows of these numbers."""
        return self._read(self._offsets[number] for number in numbers)

    def keep(self, numbers: Iterable[int]) -> None:
        """Leave out all rows but these, whose order becomes the rows' order."""
        self._offsets = array("Q", (self._offsets[number] for number in numbers))

    def _read(self, offsets: Iterable[int]) -> Iterator[T]:
        return map(self._decode, jsonl.lines_at(self._path, offsets))
