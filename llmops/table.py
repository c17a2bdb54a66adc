"""Rows of a published file, whatever its format.

A file is read into memory whole.
"""

import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from llmops.errors import UserError

Row = dict[str, Any]
Numbered = Iterator[tuple[int, Row]]


def rows(path: Path) -> Numbered:
    """Yield (line number, row) of a JSON, JSONL, CSV, TSV or Parquet file, or its ``.gz`` form.

    A row of JSON is numbered by the line that it begins on, a row of Parquet by its position; both from 1.
    Cells of CSV and TSV are text. Blank lines are skipped.

    Raises:
        UserError: unknown ending, missing file, not UTF-8, malformed (names file and line).
    """
    endings = [suffix.lower() for suffix in path.suffixes if suffix.lower() != ".gz"]
    reader = READERS.get(endings[-1] if endings else "")
    if reader is None:
        known = [*READERS, *(f"{ending}.gz" for ending in READERS)]
        raise UserError(f"{path}: unknown ending; known endings are {known}")
    yield from reader(path, _content(path))


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if path.suffix.lower() == ".gz" else content
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; run `llmops fetch` first") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as problem:
        raise UserError(f"{path}: not a whole gzip file ({problem}); pack or fetch it again") from None


def _text(path: Path, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = content.count(b"\n", 0, problem.start) + 1
        raise UserError(
            f"{path}:{line}: byte {problem.start + 1} is not UTF-8; {_encoding_advice(content)}"
        ) from None


def _encoding_advice(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "the file is UTF-16: save it as UTF-8"
    try:
        content.decode("cp949")
    except UnicodeDecodeError:
        return "save the file as UTF-8"
    return "the file reads as CP949 (Korean Windows): convert it with `iconv -f CP949 -t UTF-8`"


def _jsonl(path: Path, content: bytes) -> Numbered:
    for number, line in enumerate(_text(path, content).split("\n"), 1):
        if line.strip():
            yield number, _object(path, number, line)


def _object(path: Path, number: int, text: str) -> Row:
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError as problem:
        raise UserError(f"{path}:{number}: {problem}; a row must be one JSON object") from None
    if not isinstance(value, dict):
        raise UserError(f"{path}:{number}: a row must be a JSON object, not {type(value).__name__}")
    return value


def _json(path: Path, content: bytes) -> Numbered:
    text = _text(path, content)
    try:
        whole = json.loads(text)
    except json.JSONDecodeError as problem:
        raise UserError(f"{path}:{problem.lineno}: {problem.msg}; the file must be JSON") from None
    number, seen = 1, 0
    for start, end in _items(text, _start_of_list(path, text, whole)):
        number, seen = number + text.count("\n", seen, start), start
        yield number, _object(path, number, text[start:end])


_SPACE = re.compile(r"[\s,:]*")
_decoder = json.JSONDecoder()


def _start_of_list(path: Path, text: str, whole: Any) -> int:
    """Return the position of the first ``[`` of the array, or of the object's only array."""
    if isinstance(whole, list):
        return text.index("[")
    named = whole if isinstance(whole, dict) else {}
    lists = [key for key, value in named.items() if isinstance(value, list)]
    if len(lists) != 1:
        raise UserError(f"{path}:1: holds the lists {lists}; JSON must be a list, or an object with one list")
    position = text.index("{") + 1
    while True:
        key, position = _decoder.raw_decode(text, _skip(text, position))
        position = _skip(text, position)
        if key == lists[0] and text[position] == "[":
            return position
        _, position = _decoder.raw_decode(text, position)


def _items(text: str, start: int) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of each item of the array that begins at ``start``."""
    position = _skip(text, start + 1)
    while text[position] != "]":
        _, end = _decoder.raw_decode(text, position)
        yield position, end
        position = _skip(text, end)


def _skip(text: str, position: int) -> int:
    space = _SPACE.match(text, position)
    return space.end() if space else position


def _csv(path: Path, content: bytes) -> Numbered:
    return _separated(path, _text(path, content), ",")


def _tsv(path: Path, content: bytes) -> Numbered:
    return _separated(path, _text(path, content), "\t")


def _separated(path: Path, text: str, separator: str) -> Numbered:
    csv.field_size_limit(2**31 - 1)  # the default refuses a context of more than 131,072 characters
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    header: list[str] = []
    number = 1
    try:
        for cells in reader:
            if not header:
                header = _header(path, number, cells)
            elif cells:
                yield number, _cells(path, number, header, cells)
            number = reader.line_num + 1
    except csv.Error as problem:
        raise UserError(f"{path}:{number}: {problem}; a field with quotes must be quoted whole") from None


def _header(path: Path, number: int, names: list[str]) -> list[str]:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UserError(f"{path}:{number}: columns {twice} are named twice; each needs a name of its own")
    return names


def _cells(path: Path, number: int, header: list[str], cells: list[str]) -> Row:
    if len(cells) != len(header):
        raise UserError(
            f"{path}:{number}: {len(cells)} fields where the header has {len(header)}; "
            "quote a field that holds the separator"
        )
    return dict(zip(header, cells, strict=True))


def _parquet(path: Path, content: bytes) -> Numbered:
    import pyarrow  # 0.2 s that other formats do not need
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(pyarrow.BufferReader(content))
    except pyarrow.ArrowInvalid as problem:
        raise UserError(f"{path}: no Parquet file ({str(problem).splitlines()[0]}); fetch it again") from None
    found = (row for batch in table.to_batches() for row in batch.to_pylist())
    for number, row in enumerate(found, 1):
        yield number, msgspec.to_builtins(row)


READERS: dict[str, Callable[[Path, bytes], Numbered]] = {
    ".json": _json,
    ".jsonl": _jsonl,
    ".csv": _csv,
    ".tsv": _tsv,
    ".parquet": _parquet,
}
"""Ending → how its rows are read."""
