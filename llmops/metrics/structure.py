"""Metrics of an answer's form: whether it is what a program that reads it would accept."""

from collections.abc import Callable, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path

from llmops.errors import UserError
from llmops.patterns import found_in
from llmops.schemas import check_schema, holds, is_json


def regex_match(reads: Sequence[str], targets: Sequence[str]) -> list[float]:
    """Return 1 where the target, a regular expression, matches anywhere in the answer.

    Anchors (``\\A``, ``\\Z``) make it match the whole. A search is bounded in time, so a pattern that
    backtracks catastrophically is refused, not waited for.

    Raises:
        UserError: a target is no pattern, or takes too long.
    """
    return [float(found_in(target, read, "regex_match")) for read, target in zip(reads, targets, strict=True)]


def json_valid(reads: Sequence[str], targets: Sequence[str]) -> list[float]:
    """Return 1 where the whole answer is one JSON value as RFC 8259 has it; the targets do not matter.

    What stands around the value, such as a fence of backticks, makes it none: a program could not
    read it either. So do ``NaN`` and nesting deeper than 1,000.
    """
    return [float(is_json(read)) for read in reads]


def json_schema(reads: Sequence[str], targets: Sequence[str]) -> list[float]:
    """Return 1 where the answer is JSON that holds to the target, a JSON Schema as JSON text.

    What counts as holding: ``schemas.holds``.

    Raises:
        UserError: a target is no JSON Schema, or one of its patterns takes too long.
    """
    return [float(holds(read, target)) for read, target in zip(reads, targets, strict=True)]


def schema_of_file(name: str, root: Path) -> tuple[Callable[..., list[float]], str]:
    """Return ``json_schema`` against the one schema of a file, with the file's sha256.

    Args:
        name: the file's path below ``root``.

    Raises:
        UserError: no such file below ``root``, or it holds no JSON Schema.
    """
    file = (root / name).resolve()
    if not file.is_relative_to(root.resolve()) or not file.is_file():
        raise UserError(f"metrics: json_schema: no file {name!r}; name one below the project's folder")
    content = file.read_bytes()
    schema = content.decode("utf-8", "replace")
    check_schema(schema, "json_schema")
    return partial(_against, schema), sha256(content).hexdigest()[:12]


def _against(schema: str, reads: Sequence[str], targets: Sequence[str]) -> list[float]:
    return json_schema(reads, [schema] * len(reads))
