"""Rows of a published file, whatever its format.

A file is read into memory whole.
"""

import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
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


def rows_of_list(path: Path, name: str) -> Numbered:
    """Yield (line number, row) of one list of a JSON object; a row that is a list has the fields 0, 1, ….

    Raises:
        UserError: as ``rows`` does, or there is no such list.
    """
    text = _text(path, _content(path))
    there = _lists(_whole(path, text))
    if name not in there:
        raise UserError(f"{path}:1: no list {name!r}; lists are {there}")
    for number, item in _numbered_items(text, _start_of_named(text, name)):
        value = msgspec.json.decode(item)
        if isinstance(value, list):
            yield number, {str(place): each for place, each in enumerate(value)}
        else:
            yield number, _object(path, number, item)


def _json(path: Path, content: bytes) -> Numbered:
    text = _text(path, content)
    for number, item in _numbered_items(text, _start_of_list(path, text, _whole(path, text))):
        yield number, _object(path, number, item)


def _whole(path: Path, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as problem:
        raise UserError(f"{path}:{problem.lineno}: {problem.msg}; the file must be JSON") from None


def _numbered_items(text: str, begin: int) -> Iterator[tuple[int, str]]:
    number, seen = 1, 0
    for start, end in _items(text, begin):
        number, seen = number + text.count("\n", seen, start), start
        yield number, text[start:end]


_SPACE = re.compile(r"[\s,:]*")
_decoder = json.JSONDecoder()


def _start_of_list(path: Path, text: str, whole: Any) -> int:
    """Return the position of the first ``[`` of the array, or of the object's only array."""
    if isinstance(whole, list):
        return text.index("[")
    lists = _lists(whole)
    if len(lists) != 1:
        raise UserError(f"{path}:1: holds the lists {lists}; JSON must be a list, or an object with one list")
    return _start_of_named(text, lists[0])


def _lists(whole: Any) -> list[str]:
    """Return the keys of an object's lists; none where it is no object."""
    return [key for key, value in whole.items() if isinstance(value, list)] if isinstance(whole, dict) else []


def _start_of_named(text: str, name: str) -> int:
    """Return the position of the ``[`` that the object's value ``name`` begins with."""
    position = text.index("{") + 1
    while True:
        key, position = _decoder.raw_decode(text, _skip(text, position))
        position = _skip(text, position)
        if key == name and text[position] == "[":
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


def value_at(row: Any, field: str) -> Any:
    """Return the value at a dotted path, None when there is none; a key may hold dots itself.

    >>> value_at({"model": {"answers": ["4", "5"]}}, "model.answers.1")
    '5'
    """
    if isinstance(row, list):
        head, _, rest = field.partition(".")
        if not head.isdigit() or int(head) >= len(row):
            return None
        return value_at(row[int(head)], rest) if rest else row[int(head)]
    if not isinstance(row, Mapping):
        return None
    if field in row:
        return row[field]
    for key, value in row.items():
        if field.startswith(f"{key}."):
            return value_at(value, field[len(key) + 1 :])
    return None


READERS: dict[str, Callable[[Path, bytes], Numbered]] = {
    ".json": _json,
    ".jsonl": _jsonl,
    ".csv": _csv,
    ".tsv": _tsv,
    ".parquet": _parquet,
}
"""Ending → how its rows are read."""
