"""JSON Schemas, and whether a text holds to one."""

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import msgspec

from llmops.errors import UserError
from llmops.patterns import found_in

NO_JSON = (msgspec.DecodeError, UnicodeEncodeError, RecursionError)


def is_json(text: str) -> bool:
    """Tell whether the whole text is one JSON value."""
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except NO_JSON:
        return False
    return True


def check_schema(schema: str, where: str) -> None:
    """Refuse a text that is no JSON Schema.

    Raises:
        UserError: why it is none (the message starts with ``where``).
    """
    _validator(schema, where)


def canonical(value: Any) -> str:
    """Equal for equal JSON values: 1 and 1.0 are one number, an object's order does not matter."""
    return json.dumps(_plain_numbers(value), sort_keys=True)


def holds(text: str, schema: str, where: str = "json_schema") -> bool:
    """Tell whether the whole text is JSON that holds to the schema.

    The dialect is the one that ``$schema`` names, else draft 2020-12. A reference is resolved inside
    the schema only. Does not cover: ``format``, which is not asserted; numbers beyond a double's range,
    which count as no JSON.

    Args:
        schema: a JSON Schema as JSON text.

    Raises:
        UserError: the schema is none, or one of its patterns takes too long.
    """
    from referencing.exceptions import Unresolvable

    validator = _validator(schema, where)
    try:
        value = msgspec.json.decode(text)
        return next(validator.iter_errors(value), None) is None
    except NO_JSON:
        return False
    except Unresolvable as problem:
        raise UserError(
            f"{where}: the schema refers to {problem.ref!r}, which it does not hold; put it into $defs"
        ) from None


@lru_cache(maxsize=1024)
def _validator(schema: str, where: str) -> Any:
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
        raise UserError(f"{where}: {_shown(schema)} is no JSON Schema ({said}); mend it") from None
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
    if wanted and validator.is_type(value, "array") and len({canonical(item) for item in value}) < len(value):
        yield _fault("two items are the same")


def _fault(message: str) -> Any:
    from jsonschema import ValidationError

    return ValidationError(message)


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
