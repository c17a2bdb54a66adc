"""A data set's rows, read as its card says."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from llmops.cards.frame import Place, plain
from llmops.cards.gathered import gathered
from llmops.cards.schema import FROM_TARGETS, Card, Extract
from llmops.errors import UserError
from llmops.records import CHOICE_LETTERS, Example
from llmops.table import Row, value_at


class Read(NamedTuple):
    """One row as it was read."""

    place: Place
    example: Example
    columns: dict[str, Any]
    """The card's ``columns``: what its own expectations may name besides."""


def read_examples(card: Card, raw: Path) -> Iterator[tuple[Place, Example]]:
    """Yield (place, Example) for each row of the card's examples files in the folder ``raw``.

    An empty or null target, slice or cluster is unknown, so it is None or left out.

    Raises:
        UserError: no rows, a field that a row lacks, a value of the wrong type, a target that the
            pattern does not find, an id that comes twice (names file and line).
    """
    for each in read_rows(card, raw):
        yield each.place, each.example


def read_rows(card: Card, raw: Path) -> Iterator[Read]:
    """Yield the same with the card's own columns beside each example."""
    known: dict[str, Place] = {}
    numbered: dict[str, int] = {}
    for place, row, _ in gathered(card, raw):
        numbered[row["$file"]] = position = numbered.get(row["$file"], 0) + 1
        example = _example(card, place, position, row)
        if example.id in known:
            other = _other(known[example.id], place)
            raise UserError(f"{place}: id {example.id!r} is that of {other} too; ids must differ")
        known[example.id] = place
        yield Read(place, example, {name: _plain_value(place, row, f) for name, f in card.columns.items()})
    if not known:
        first = raw / card.examples_files[0]
        raise UserError(f"{first}: holds no examples; a data set needs at least one row")


def _other(other: Place, place: Place) -> str:
    return f"line {other.line}" if other.file == place.file else str(other)


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
    slices = {name: _text(place, row, field) for name, field in card.slice_fields.items()}
    choices = _choices(place, row, fields.choices)
    return Example(
        id=_id(card, place, position, row),
        inputs=inputs,
        target=_target(place, row, fields.target, choices),
        choices=choices,
        slices={field: value for field, value in slices.items() if value is not None},
        cluster=_text(place, row, fields.cluster),
        contexts=_list(place, row, fields.contexts, str),
        tools=_list(place, row, fields.tools, dict),
    )


def _value(place: Place, row: Row, field: str) -> Any:
    value = value_at(row, field)
    if value is None and not _may_hold(row, field):
        own = [name for name in row if not name.startswith("$")]
        raise UserError(f"{place}: no field {field!r}; the row has {own}")
    return value


def _may_hold(row: Any, field: str) -> bool:
    """Whether the row has the field, were it null or in something null."""
    if not isinstance(row, Mapping) or field in row:
        return True
    inner = next((key for key in row if field.startswith(f"{key}.")), None)
    return inner is not None and _may_hold(row[inner], field[len(inner) + 1 :])


def _plain_value(place: Place, row: Row, field: str) -> Any:
    value = _value(place, row, field)
    return value if isinstance(value, int | float | bool) else plain(value)


def _text(place: Place, row: Row, field: str | None) -> str | None:
    """Return the field as text; None when no field is named, or when it is null or empty."""
    value = None if field is None else _value(place, row, field)
    if isinstance(value, dict | list):
        raise UserError(f"{place}: field {field!r} is a {type(value).__name__}; it must be text or a number")
    return plain(value) or None


def _id(card: Card, place: Place, position: int, row: Row) -> str:
    if card.fields.id is None:
        stem = row["$file"] if len(card.examples_files) > 1 else card.name
        return f"{stem}-{position:04}"
    text = _text(place, row, card.fields.id)
    if text is None:
        raise UserError(f"{place}: field {card.fields.id!r} is empty; each example needs an id")
    return text


def _target(
    place: Place, row: Row, target: str | Extract | list[str] | None, choices: list[str]
) -> str | None:
    if isinstance(target, list):
        return plain({field: _value(place, row, field) for field in target})
    if not isinstance(target, Extract):
        return None if target is None else plain(_value(place, row, target)) or None
    text = _text(place, row, target.field)
    if text is None:
        return None
    if target.letter:
        return _letter(place, target.field, text, choices)
    found = re.search(target.pattern or "", text)
    if found is None or found[1] is None:
        raise UserError(
            f"{place}: field {target.field!r} has no match of {target.pattern!r}; mend row or pattern"
        )
    return found[1]


def _letter(place: Place, field: str, text: str, choices: list[str]) -> str:
    if text in choices:
        return CHOICE_LETTERS[choices.index(text)]
    if text.isdigit() and int(text) < len(choices):
        return CHOICE_LETTERS[int(text)]
    raise UserError(f"{place}: field {field!r} is {text!r}, none of the choices {choices}; mend the row")


def _choices(place: Place, row: Row, field: str | None) -> list[str]:
    """Return the choices; text is read as a list that JSON or Python writes."""
    value = None if field is None else _value(place, row, field)
    if isinstance(value, str):
        try:
            value = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            raise UserError(f"{place}: field {field!r} is {value!r}; choices must be a list") from None
    choices = [plain(each) or "" for each in value or []]
    if len(choices) > len(CHOICE_LETTERS):
        raise UserError(f"{place}: field {field!r} has {len(choices)} choices; at most {len(CHOICE_LETTERS)}")
    return choices


def _list(place: Place, row: Row, field: str | None, kind: type) -> list[Any]:
    value = None if field is None else _value(place, row, field)
    items = value if isinstance(value, list) else [] if value in (None, "") else [value]
    wrong = next((item for item in items if not isinstance(item, kind)), None)
    if wrong is not None:
        raise UserError(f"{place}: field {field!r} holds {wrong!r}; it must be a list of {_WORDS[kind]}")
    return items


_WORDS: dict[type, str] = {str: "texts", dict: "objects"}
