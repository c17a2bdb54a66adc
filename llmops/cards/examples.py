"""A data set's rows, read as its card says."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from llmops.cards.card import FROM_TARGETS, Card, Extract
from llmops.cards.frame import Place, plain
from llmops.errors import UserError
from llmops.records import Example
from llmops.table import Row, rows


def read_examples(card: Card, raw: Path) -> Iterator[tuple[Place, Example]]:
    """Yield (place, Example) for each row of the card's examples file in the folder ``raw``.

    An empty or null target, slice or cluster is unknown, so it is None or left out.

    Raises:
        UserError: no rows, a field that a row lacks, a value of the wrong type, a target that the
            pattern does not find, an id that comes twice (names file and line).
    """
    path = raw / card.examples_file
    lines: dict[str, int] = {}
    for position, (line, row) in enumerate(rows(path), 1):
        place = Place(str(path), line)
        example = _example(card, place, position, row)
        if example.id in lines:
            raise UserError(
                f"{place}: id {example.id!r} is that of line {lines[example.id]} too; ids must differ"
            )
        lines[example.id] = line
        yield place, example
    if not lines:
        raise UserError(f"{path}: holds no examples; a data set needs at least one row")


def labels(card: Card, examples: Iterable[Example]) -> list[str] | None:
    """Return the answers there are, or None when the card names none."""
    if isinstance(card.labels, list):
        return card.labels
    if card.labels == FROM_TARGETS:
        return sorted({example.target for example in examples if example.target is not None})
    return None


def _example(card: Card, place: Place, position: int, row: Row) -> Example:
    fields = card.fields
    inputs = {variable: _value(place, row, field) for variable, field in fields.by_variable.items()}
    slices = {field: _text(place, row, field) for field in card.slices}
    return Example(
        id=_id(card, place, position, row),
        inputs=inputs,
        target=_target(place, row, fields.target),
        slices={field: value for field, value in slices.items() if value is not None},
        cluster=_text(place, row, fields.cluster),
        contexts=_list(place, row, fields.contexts, str),
        tools=_list(place, row, fields.tools, dict),
    )


def _value(place: Place, row: Row, field: str) -> Any:
    if field not in row:
        raise UserError(f"{place}: no field {field!r}; the row has {list(row)}")
    return row[field]


def _text(place: Place, row: Row, field: str | None) -> str | None:
    """Return the field as text; None when no field is named, or when it is null or empty."""
    value = None if field is None else _value(place, row, field)
    if isinstance(value, dict | list):
        raise UserError(f"{place}: field {field!r} is a {type(value).__name__}; it must be text or a number")
    return plain(value) or None


def _id(card: Card, place: Place, position: int, row: Row) -> str:
    if card.fields.id is None:
        return f"{card.name}-{position:04}"
    text = _text(place, row, card.fields.id)
    if text is None:
        raise UserError(f"{place}: field {card.fields.id!r} is empty; each example needs an id")
    return text


def _target(place: Place, row: Row, target: str | Extract | list[str] | None) -> str | None:
    if isinstance(target, list):
        return plain({field: _value(place, row, field) for field in target})
    if not isinstance(target, Extract):
        return None if target is None else plain(_value(place, row, target)) or None
    text = _text(place, row, target.field)
    if text is None:
        return None
    found = re.search(target.pattern, text)
    if found is None or found[1] is None:
        raise UserError(
            f"{place}: field {target.field!r} has no match of {target.pattern!r}; mend row or pattern"
        )
    return found[1]


def _list(place: Place, row: Row, field: str | None, kind: type) -> list[Any]:
    value = None if field is None else _value(place, row, field)
    items = value if isinstance(value, list) else [] if value in (None, "") else [value]
    wrong = next((item for item in items if not isinstance(item, kind)), None)
    if wrong is not None:
        raise UserError(f"{place}: field {field!r} holds {wrong!r}; it must be a list of {_WORDS[kind]}")
    return items


_WORDS: dict[type, str] = {str: "texts", dict: "objects"}
