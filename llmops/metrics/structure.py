"""Metrics of an answer's form: whether it is what a program that reads it would accept."""

import json
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from llmops.errors import UserError
from llmops.metrics.pattern import found_in

NO_JSON = (msgspec.DecodeError, UnicodeEncodeError, RecursionError)


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

    The dialect is the one that ``$schema`` names, else draft 2020-12. A reference is resolved inside
    the schema only. Does not cover: ``format``, which is not asserted; numbers beyond a double's range, which
    count as no JSON.

    Raises:
        UserError: a target is no JSON Schema, or one of its patterns takes too long.
    """
    return [float(_holds(read, _validator(target))) for read, target in zip(reads, targets, strict=True)]


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
    _validator(schema)
    return partial(_against, schema), sha256(content).hexdigest()[:12]


def _against(schema: str, reads: Sequence[str], targets: Sequence[str]) -> list[float]:
    return json_schema(reads, [schema] * len(reads))


def is_json(text: str) -> bool:
    """Tell whether the whole text is one JSON value."""
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except NO_JSON:
        return False
    return True


def _holds(read: str, validator: Any) -> bool:
    from referencing.exceptions import Unresolvable

    try:
        value = msgspec.json.decode(read)
        return next(validator.iter_errors(value), None) is None
    except NO_JSON:
        return False
    except Unresolvable as problem:
        raise UserError(
            f"json_schema: the schema refers to {problem.ref!r}, which it does not hold; put it into $defs"
        ) from None


@lru_cache(maxsize=1024)
def _validator(schema: str) -> Any:
    """Return the schema as a validator that no answer keeps busy."""
    import jsonschema
    from jsonschema_specifications import REGISTRY  # with these alone it fetches nothing

    try:
        known = msgspec.json.decode(schema)
        if not isinstance(known, dict | bool):
            raise TypeError(f"it is a {type(known).__name__}")
        kind = jsonschema.validators.validator_for(known, jsonschema.Draft202012Validator)
        kind.check_schema(known)
    except (*NO_JSON, TypeError, jsonschema.SchemaError) as problem:
        said = getattr(problem, "message", None) or str(problem)
        raise UserError(f"json_schema: {_shown(schema)} is no JSON Schema ({said}); mend it") from None
    return jsonschema.validators.extend(kind, _BOUNDED)(known, registry=REGISTRY)


def _pattern(validator: Any, pattern: str, value: Any, schema: Any) -> Iterator[Any]:
    if validator.is_type(value, "string") and not found_in(pattern, value, "json_schema: pattern"):
        yield _fault(f"{_shown(value)} does not match {pattern!r}")


def _pattern_properties(validator: Any, patterns: Any, value: Any, schema: Any) -> Iterator[Any]:
    if not validator.is_type(value, "object"):
        return
    for pattern, inner in patterns.items():
        for key, item in value.items():
            if found_in(pattern, key, "json_schema: patternProperties"):
                yield from validator.descend(item, inner, path=key, schema_path=pattern)


def _additional_properties(validator: Any, allowed: Any, value: Any, schema: Any) -> Iterator[Any]:
    if not validator.is_type(value, "object"):
        return
    patterns = schema.get("patternProperties", {})
    for key in value.keys() - schema.get("properties", {}).keys():
        if not any(found_in(pattern, key, "json_schema: patternProperties") for pattern in patterns):
            yield from validator.descend(value[key], allowed, path=key)


def _unique_items(validator: Any, wanted: Any, value: Any, schema: Any) -> Iterator[Any]:
    if (
        wanted
        and validator.is_type(value, "array")
        and len({_canonical(item) for item in value}) < len(value)
    ):
        yield _fault("two items are the same")


def _fault(message: str) -> Any:
    from jsonschema import ValidationError

    return ValidationError(message)


def _canonical(value: Any) -> str:
    """Equal for equal JSON values: 1 and 1.0 are one number, an object's order does not matter."""
    return json.dumps(_plain_numbers(value), sort_keys=True)


def _plain_numbers(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain_numbers(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain_numbers(item) for key, item in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value


_BOUNDED = {
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
    "uniqueItems": _unique_items,
}
"""Keywords that jsonschema would check by backtracking, or by comparing each with each."""


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:59] + "…")
