"""Rows out of a SQLite file that SQLite itself refuses: cut short, or with damaged pages.

Every page that is there is read by itself, those of the write-ahead log too, by the published file
format (sqlite.org/fileformat2.html). What comes out may be old or damaged: who takes it must check it.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

INDEX_INTERIOR, INDEX_LEAF, TABLE_LEAF = 0x02, 0x0A, 0x0D
FIRST_PAGE_HEADER, WAL_HEADER, FRAME_HEADER = 100, 32, 24
USUAL_PAGE = 4096
_INTEGERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}
"""Serial type → bytes of the integer."""

Row = tuple[Any, ...]


class _Cell(NamedTuple):
    """Where a row's payload begins in its page, and how long it is in all."""

    start: int
    size: int
    most_local: int


def salvaged(path: Path) -> Iterator[tuple[int | None, Row]]:
    """Yield (rowid, columns) of each row in the pages of a file and its log; rowid None in an index.

    A row may come several times; one whose text is no UTF-8 does not come.
    """
    main = path.read_bytes()
    size = _page_size(main)
    pages = {n + 1: main[n * size : (n + 1) * size] for n in range(-(-len(main) // size))}
    log = path.with_name(f"{path.name}-wal")
    frames = list(_frames(log.read_bytes(), size)) if log.is_file() else []
    newest = {**pages, **dict(frames)}
    for number, page in [*pages.items(), *frames]:
        for overflow in (newest, pages):
            yield from _rows(page, FIRST_PAGE_HEADER if number == 1 else 0, overflow)


def _page_size(main: bytes) -> int:
    size = int.from_bytes(main[16:18], "big")
    size = 65536 if size == 1 else size
    return size if size >= 512 and size & (size - 1) == 0 else USUAL_PAGE


def _frames(log: bytes, size: int) -> Iterator[tuple[int, bytes]]:
    for at in range(WAL_HEADER, len(log), FRAME_HEADER + size):
        page = log[at + FRAME_HEADER : at + FRAME_HEADER + size]
        if len(page) == size:
            yield int.from_bytes(log[at : at + 4], "big"), page


def _rows(page: bytes, header: int, overflow: Mapping[int, bytes]) -> Iterator[tuple[int | None, Row]]:
    kind = page[header] if len(page) > header else None
    if kind not in {INDEX_INTERIOR, INDEX_LEAF, TABLE_LEAF}:
        return
    count = int.from_bytes(page[header + 3 : header + 5], "big")
    first = header + (12 if kind == INDEX_INTERIOR else 8)
    for at in range(first, first + 2 * count, 2):
        try:
            place = int.from_bytes(page[at : at + 2], "big")
            rowid, cell = _cell(page, place, kind)
            yield rowid, _columns(_payload(page, cell, overflow))
        except (IndexError, KeyError, ValueError):
            continue


def _cell(page: bytes, at: int, kind: int) -> tuple[int | None, _Cell]:
    usable, rowid = len(page), None
    size, at = _varint(page, at + (4 if kind == INDEX_INTERIOR else 0))
    if kind == TABLE_LEAF:
        rowid, at = _varint(page, at)
        return rowid, _Cell(at, size, usable - 35)
    return rowid, _Cell(at, size, (usable - 12) * 64 // 255 - 23)


def _payload(page: bytes, cell: _Cell, overflow: Mapping[int, bytes]) -> bytes:
    """Return the whole payload; its end may lie in a chain of other pages.

    Raises:
        KeyError: a page of the chain is missing.
        ValueError: the chain does not end.
    """
    usable = len(page)
    if cell.size <= cell.most_local:
        return page[cell.start : cell.start + cell.size]
    least = (usable - 12) * 32 // 255 - 23
    local = least + (cell.size - least) % (usable - 4)
    local = local if local <= cell.most_local else least
    parts, end = [page[cell.start : cell.start + local]], cell.start + local
    number = int.from_bytes(page[end : end + 4], "big")
    for _ in range(-(-(cell.size - local) // (usable - 4))):
        parts.append(overflow[number][4:])
        number = int.from_bytes(overflow[number][:4], "big")
    if number:
        raise ValueError("the chain goes on")
    return b"".join(parts)[: cell.size]


def _columns(payload: bytes) -> Row:
    end, at = _varint(payload, 0)
    body, columns = end, []
    while at < end:
        kind, at = _varint(payload, at)
        width = _INTEGERS.get(kind, 0) if kind < 12 else (kind - 12) // 2
        columns.append(_value(kind, payload[body : body + width]))
        body += width
    if body != len(payload):
        raise ValueError("the columns do not fill the row")
    return tuple(columns)


def _value(kind: int, raw: bytes) -> Any:
    if kind in _INTEGERS:
        return int.from_bytes(raw, "big", signed=True)
    if kind in {8, 9}:
        return kind - 8
    if kind >= 12:
        return raw.decode() if kind % 2 else raw
    if kind == 0:
        return None
    raise ValueError("no column of ours")


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    """Return an integer of one to nine bytes, seven bits each, with where the next value begins."""
    value = 0
    for step in range(8):
        byte = raw[at + step]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + step + 1
    return value << 8 | raw[at + 8], at + 9
