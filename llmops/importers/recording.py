"""What an importer finds in a tool's files, whatever the tool."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec

from llmops.errors import UserError
from llmops.record import Record

T = TypeVar("T")


class Question(Record):
    """One thing that was asked."""

    id: str
    inputs: dict[str, Any]
    """Prompt variable → value; ``input`` for a tool that keeps the question as one text."""
    target: str | None = None
    cluster: str | None = None
    """The question that repeats of one question share; None when each was asked once."""


class Answer(Record):
    """What one model answered to one question: a row of recorded.jsonl."""

    id: str
    model: str
    input: str
    """The question as the tool asked it."""
    target: str | None = None
    answer: str | None = None
    served_model: str | None = None
    latency_s: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    error: str | None = None
    """Why there is no answer."""
    reported: dict[str, float] = {}
    """The tool's own scores, by the name that it gives them."""


class Recording(NamedTuple):
    """What a tool asked and what came back, in the tool's order."""

    tool: str
    name: str
    """The task's name in the file."""
    questions: Sequence[Question]
    answers: Sequence[Answer]
    labels: Sequence[str] = ()
    """The answers to choose from, where the tool says which."""
    notes: Sequence[str] = ()
    """What could not be carried over, in words."""


class Part(msgspec.Struct):
    """A part of a tool's file, of whose fields only the ones that are read are declared."""


def decoded(content: bytes | str, kind: type[T], where: Path | str) -> T:
    """Return a tool's JSON as ``kind``.

    Raises:
        UserError: it is no JSON, or a field is missing or of another type (names file and field).
    """
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.DecodeError as problem:
        text = str(problem).replace("Object missing required field", "missing field")
        what, _, field = text.partition(" - at `$")
        path = f": {field.rstrip('`').lstrip('.')}" if field else ""
        raise UserError(f"{where}{path}: {what}; give a result file as the tool writes it") from None
    except UnicodeDecodeError:
        raise UserError(f"{where}: not UTF-8; give a result file as the tool writes it") from None


def content_of(path: Path) -> bytes:
    """Return the file's bytes.

    Raises:
        UserError: there is no such file.
    """
    try:
        return path.read_bytes()
    except (FileNotFoundError, IsADirectoryError):
        raise UserError(f"{path}: no such file; give a result file that the tool wrote") from None


def as_text(value: Any) -> str | None:
    """Return a value as an answer or target; None for null and for an empty text."""
    if value is None or value == "":
        return None
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
