"""Rows of a file that are ready in another order than they are to stand in."""

import os
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from llmops import jsonl


class Spool:
    """Lines by their number, kept on disk as they come; 8 bytes of memory a line."""

    def __init__(self, file: BinaryIO, count: int) -> None:
        self._file = file
        self._places = array("Q", bytes(8 * count))  # offset + 1; 0 where there is no line yet
        self._end, self._last, self.in_order = 0, -1, True

    def put(self, number: int, line: bytes) -> None:
        """Keep one line, which ends in a line break."""
        self.in_order = self.in_order and number > self._last
        self._last = number
        self._places[number] = self._end + 1
        self._end += self._file.write(line)

    def after(self, first: int) -> Callable[[int, bytes], None]:
        """Return ``put`` for numbers that are counted from ``first``."""
        return lambda number, line: self.put(first + number, line)

    def offsets(self) -> Iterator[int]:
        """Yield where each line begins, in the order of their numbers."""
        return (place - 1 for place in self._places if place)


@contextmanager
def spooled(path: Path, count: int) -> Iterator[Spool]:
    """Give a spool of ``count`` lines, and make it the file when the block ends without an exception."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.spool")
    try:
        with draft.open("wb") as file:
            spool = Spool(file, count)
            yield spool
        if spool.in_order:
            draft.replace(path)
        else:
            jsonl.write_lines(path, jsonl.lines_at(draft, spool.offsets()))
    finally:
        draft.unlink(missing_ok=True)
