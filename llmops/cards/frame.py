"""Records as flat rows, each with its place in a file: what expectation files name columns of."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from llmops.records import Example, Response

EXAMPLE_COLUMNS = ("id", "text", "target", "choices")
RESPONSE_COLUMNS = (
    "example_id",
    "model",
    "prompt",
    "repeat",
    "answer",
    "finish_reason",
    "error_kind",
    "answer_length",
    "truncated",
    "latency_s",
)


class Place(NamedTuple):
    """Where a row stands."""

    file: str
    line: int
    """From 1."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Frame(NamedTuple):
    """Rows of the same columns, and each row's place."""

    columns: list[str]
    rows: list[dict[str, Any]]
    places: list[Place]


def example_frame(
    examples: Iterable[tuple[Place, Example]],
    slices: Iterable[str],
    more: Sequence[dict[str, Any]] = (),
) -> Frame:
    """Return examples as rows of ``EXAMPLE_COLUMNS``, with a column for each slice.

    ``text`` is all inputs, a line each; ``choices`` is how many there are, None where there are none.

    Args:
        more: further columns, for each example in turn.
    """
    placed = list(examples)
    names = list(slices)
    rows = [_example_row(example, names) for _, example in placed]
    rows = [row | extra for row, extra in zip(rows, more, strict=True)] if more else rows
    columns = list(dict.fromkeys((*EXAMPLE_COLUMNS, *names, *(more[0] if more else ()))))
    return Frame(columns, rows, [place for place, _ in placed])


def _example_row(example: Example, slices: Sequence[str]) -> dict[str, Any]:
    text = "\n".join(plain(value) or "" for value in example.inputs.values())
    row: dict[str, Any] = {name: example.slices.get(name) for name in slices}
    return row | {
        "id": example.id,
        "text": text,
        "target": example.target,
        "choices": len(example.choices) or None,
    }


def response_frame(file: str, responses: Iterable[Response]) -> Frame:
    """Return the responses of ``file``, one a line, as rows of ``RESPONSE_COLUMNS``."""
    rows = [_response_row(response) for response in responses]
    return Frame(list(RESPONSE_COLUMNS), rows, [Place(file, line) for line in range(1, len(rows) + 1)])


def _response_row(response: Response) -> dict[str, Any]:
    return {
        "example_id": response.example_id,
        "model": response.model,
        "prompt": response.prompt,
        "repeat": response.repeat,
        "answer": response.answer,
        "finish_reason": response.finish_reason,
        "error_kind": response.error.kind if response.error else None,
        "answer_length": None if response.answer is None else len(response.answer),
        "truncated": None if response.finish_reason is None else response.finish_reason == "length",
        "latency_s": response.latency_s,
    }


def plain(value: Any) -> str | None:
    """Return a JSON value as text: text as it is, None as None, all else as JSON writes it."""
    return value if value is None or isinstance(value, str) else msgspec.json.encode(value).decode()
