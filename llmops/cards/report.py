"""What a check of rows against expectations found, in words a person reads."""

from collections.abc import Callable
from typing import Any, Literal

from llmops.record import Record

Severity = Literal["critical", "warning", "info"]
SHOWN = 100
"""Characters of a value that a message shows."""


class Failure(Record, frozen=True):
    """One row, or one figure over all rows, that does not hold."""

    file: str
    expectation: str
    severity: Severity
    settings: dict[str, Any]
    """The expectation's settings as they are written, e.g. ``{"min_value": 1}``."""
    column: str | None = None
    line: int | None = None
    """None: a figure over all rows."""
    value: Any = None
    note: str | None = None
    """What it means, where the expectation file says so."""


class Report(Record, frozen=True):
    """The outcome of one expectation file on one frame."""

    success: bool
    """No critical expectation failed."""
    checked: int
    """Rows."""
    failed: int
    """Critical failures: rows, and figures over all rows."""
    warned: int
    """The same, of other severities."""
    failures: list[Failure]
    """The first of each expectation's failures."""
    results: list[dict[str, Any]]
    """One entry for each expectation: name, settings, severity, outcome, what was observed."""


def describe(report: Report, severity: Severity = "critical", limit: int = 5) -> str:
    """Return the failures of one severity in one line, with a count of those left out; '' for none."""
    chosen = [failure for failure in report.failures if failure.severity == severity]
    total = sum(entry["failed"] for entry in report.results if entry["severity"] == severity)
    parts = [sentence(failure) for failure in chosen[:limit]]
    if total > len(parts) > 0:
        parts.append(f"and {total - len(parts):,} more")
    return "; ".join(parts)


def by_expectation(report: Report, severity: Severity | None = None) -> list[str]:
    """Return a line for each expectation that does not hold: its first failure, and how many more."""
    found = []
    for entry in report.results:
        if entry["failed"] and severity in (None, entry["severity"]):
            more = f", and {entry['failed'] - 1:,} more" if entry["failed"] > 1 else ""
            found.append(f"{entry['severity']}: {sentence(_first(report, entry))}{more}")
    return found


def _first(report: Report, entry: dict[str, Any]) -> Failure:
    """Return the first failure of a result, which names its expectation and all of its settings."""
    return next(
        failure
        for failure in report.failures
        if failure.expectation == entry["expect"]
        and failure.settings | ({"column": failure.column} if failure.column else {}) == entry["settings"]
    )


def sentence(failure: Failure) -> str:
    """Return one failure as ``file:line: column 'x': value is wrong (its note or expectation)``."""
    place = failure.file if failure.line is None else f"{failure.file}:{failure.line}"
    column = f" column {failure.column!r}:" if failure.column else ""
    return f"{place}:{column} {_wrong(failure)} ({failure.note or failure.expectation})"


def _wrong(failure: Failure) -> str:
    value = repr(failure.value)
    shown = value if len(value) <= SHOWN else f"{value[:SHOWN]}…"
    if failure.line is not None and failure.expectation in _WORDS:
        return _WORDS[failure.expectation](shown, failure)
    settings = ", ".join(f"{name} {value!r}" for name, value in failure.settings.items())
    what = "does not hold" if failure.line is not None else "over all rows"
    return f"{shown} {what}" + (f"; asked for {settings}" if settings else "")


def _range(failure: Failure) -> str:
    low, high = failure.settings.get("min_value"), failure.settings.get("max_value")
    return f"{'any' if low is None else low} to {'any' if high is None else high}"


def _in_set(shown: str, failure: Failure) -> str:
    allowed = failure.settings.get("value_set")
    return f"{shown} is not in the label set" if allowed == "$labels" else f"{shown} is none of {allowed}"


def _length(shown: str, failure: Failure) -> str:
    return f"{shown} has {len(str(failure.value)):,} characters, not {_range(failure)}"


_WORDS: dict[str, Callable[[str, Failure], str]] = {
    "expect_column_values_to_be_in_set": _in_set,
    "expect_column_value_lengths_to_be_between": _length,
    "expect_column_values_to_be_between": lambda shown, failure: f"{shown} is not in {_range(failure)}",
    "expect_column_values_to_be_null": lambda shown, _: f"{shown} where there should be nothing",
    "expect_column_values_to_be_unique": lambda shown, _: f"{shown} comes more than once",
    "expect_compound_columns_to_be_unique": lambda shown, _: f"{shown} comes more than once",
    "expect_column_values_to_not_be_null": lambda _shown, _: "is empty",
    "expect_column_values_to_match_regex": lambda shown, failure: (
        f"{shown} has no match of {failure.settings.get('regex')!r}"
    ),
    "expect_column_values_to_not_match_regex": lambda shown, failure: (
        f"{shown} has a match of {failure.settings.get('regex')!r}"
    ),
}
"""Expectation → what is wrong with a row's value; others are told by their settings."""
