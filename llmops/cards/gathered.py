"""A data set's rows as its card gathers them: of several files or lists, some left out, others joined."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from llmops.cards.frame import Place, plain
from llmops.cards.schema import Card, Join
from llmops.errors import UserError
from llmops.table import Row, rows, rows_of_list, value_at


class Gathered(NamedTuple):
    """One row, with ``$file``, ``$row``, ``$list`` and the card's joins among its fields."""

    place: Place
    row: Row
    others: dict[str, Place]
    """Join → where the joined row stands; a join without such a row is left out."""


def gathered(card: Card, raw: Path) -> Iterator[Gathered]:
    """Yield the card's rows in the order of its files.

    Raises:
        UserError: a file that cannot be read, or two rows to join to one.
    """
    found = {name: _index(card, join, raw, name) for name, join in card.joins.items()}
    for file in card.examples_files:
        for place, row in _file_rows(card, raw, file):
            if _wanted(row, card.where):
                yield _joined(place, row, card, found)


def _file_rows(card: Card, raw: Path, file: str) -> Iterator[tuple[Place, Row]]:
    path = raw / file
    stem = PurePosixPath(file).name.partition(".")[0]
    parts: list[tuple[str | None, Callable[[], Iterator[tuple[int, Row]]]]] = [(None, lambda: rows(path))]
    if card.lists and file in card.examples_files:
        parts = [(name, lambda name=name: rows_of_list(path, name)) for name in card.lists]  # type: ignore[misc]
    position = 0
    for name, read in parts:
        for line, row in read():
            yield Place(str(path), line), {**row, "$file": stem, "$row": position, "$list": name}
            position += 1


def _wanted(row: Row, where: Mapping[str, Any]) -> bool:
    return all(_same(value_at(row, field), value) for field, value in where.items())


def _same(found: Any, wanted: Any) -> bool:
    """Whether they are the same once written: a cell of a CSV file is always text."""
    return plain(found) == plain(wanted)


_Index = dict[tuple[str | None, ...], tuple[Place, Row]]


def _index(card: Card, join: Join, raw: Path, name: str) -> _Index:
    index: _Index = {}
    for file in card.named(join.files):
        for place, row in _file_rows(card, raw, file):
            if not _wanted(row, join.where):
                continue
            key = tuple(plain(value_at(row, field)) for field in join.match.values())
            if key in index:
                other = index[key][0]
                raise UserError(f"{place}: joins: {name}: {other} has {list(key)} too; they must differ")
            index[key] = (place, row)
    return index


def _joined(place: Place, row: Row, card: Card, found: Mapping[str, _Index]) -> Gathered:
    others = {}
    for name, join in card.joins.items():
        key = tuple(plain(value_at(row, field)) for field in join.match)
        other = found[name].get(key)
        row[name] = other and other[1]
        if other:
            others[name] = other[0]
    return Gathered(place, row, others)
