"""Expectation files: which expectation is held of which column, as users write it."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from llmops.cards.report import Severity
from llmops.config import convert, read_yaml
from llmops.errors import UserError
from llmops.record import Record

Values = Mapping[str, list[Any] | None]
"""What ``$name`` stands for: e.g. ``{"labels": [...], "slices": [...]}``; None: not known."""

_OURS = ("expect", "severity", "note")
_COLUMN_KEYS = ("column", "column_A", "column_B", "column_list")


class Expected(Record, frozen=True):
    """One expectation of one column, or of the whole frame."""

    where: str
    expect: str
    """The expectation's snake-case name in Great Expectations."""
    severity: Severity
    note: str | None
    """What a row that does not hold means, in a person's words."""
    written: dict[str, Any]
    """Its settings as they are written."""
    settings: dict[str, Any] | None
    """The same with each ``$name`` replaced; None: a value that it names is not known."""


def read_expected(path: Path, columns: Sequence[str], values: Values) -> list[Expected]:
    """Return the file's expectations; one of ``column: $slices`` becomes one for each slice.

    Raises:
        UserError: no list of ``{expect, column, severity, …}``, an unknown ``$name``, a column
            that is none of ``columns``.
    """
    listed = read_yaml(path)
    if not isinstance(listed, list):
        raise UserError(f"{path}: must be a list of {{expect, column, severity, …}}")
    found = []
    for number, entry in enumerate(listed, 1):
        for each in _spread(f"{path}: expectation {number}", entry, values):
            _hold_columns(each, columns)
            found.append(each)
    return found


def _spread(where: str, entry: Any, values: Values) -> Iterator[Expected]:
    if not isinstance(entry, dict) or not isinstance(entry.get("expect"), str):
        raise UserError(
            f"{where}: names no expectation; write e.g. 'expect: expect_column_values_to_be_unique'"
        )
    settings = {str(key): value for key, value in entry.items() if key not in _OURS}
    severity: Severity = convert(entry.get("severity", "critical"), Severity, f"{where}: severity")
    note: str | None = convert(entry.get("note"), str | None, f"{where}: note")
    for name in _columns(where, settings.get("column"), values):
        written = settings | ({"column": name} if "column" in settings else {})
        yield Expected(
            where=f"{where} ({entry['expect']})",
            expect=entry["expect"],
            severity=severity,
            note=note,
            written=written,
            settings=_resolved(where, written, values),
        )


def _columns(where: str, column: Any, values: Values) -> list[Any]:
    return _named(where, column, values) or [] if is_name(column) else [column]


def is_name(value: Any) -> bool:
    """Whether a setting stands for a value that the caller gives, as ``$labels`` does."""
    return isinstance(value, str) and value.startswith("$")


def _named(where: str, name: str, values: Values) -> list[Any] | None:
    if name[1:] not in values:
        known = [f"${value}" for value in sorted(values)]
        raise UserError(f"{where}: unknown value {name!r}; values are {known}")
    return values[name[1:]]


def _resolved(where: str, written: dict[str, Any], values: Values) -> dict[str, Any] | None:
    settings = {
        key: _named(where, value, values) if is_name(value) else value for key, value in written.items()
    }
    unknown = any(settings[key] is None and written[key] is not None for key in written)
    return None if unknown else settings


def _hold_columns(expected: Expected, columns: Sequence[str]) -> None:
    for column in columns_of(expected.written):
        if column not in columns:
            raise UserError(f"{expected.where}: no column {column!r}; columns are {list(columns)}")


def columns_of(settings: Mapping[str, Any]) -> list[Any]:
    """Return the columns that an expectation's settings name."""
    named = [settings[key] for key in _COLUMN_KEYS if settings.get(key) is not None]
    return [column for each in named for column in (each if isinstance(each, list) else [each])]
