"""Calls of tools: as servers and data sets write them, and as one text."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from llmops.replies import ToolCall


def tool_call(told: Mapping[str, Any]) -> ToolCall:
    """Return the call in ``{id, function: {name, arguments}}`` or ``{name, arguments}``.

    Arguments may be an object or, as OpenAI sends them, JSON text; what is no JSON stays as it is.

    Raises:
        KeyError, TypeError, AttributeError: it is no call.
    """
    function = told.get("function") or told
    given, name_of_call = function.get("arguments"), told.get("id")
    return ToolCall(
        id=name_of_call if isinstance(name_of_call, str) else "",
        name=str(function["name"]),
        arguments=given if isinstance(given, str) else json.dumps(given or {}, ensure_ascii=False),
    )


def written(calls: Sequence[ToolCall]) -> str:
    """Return calls as one JSON text, the same for the same names and arguments.

    >>> written([ToolCall("c-1", "weather", '{"unit": "C",  "city": "서울"}')])
    '[{"name": "weather", "arguments": {"city": "서울", "unit": "C"}}]'
    """
    each = (f'{{"name": {_json(call.name)}, "arguments": {_json(arguments_of(call))}}}' for call in calls)
    return f"[{', '.join(each)}]"


def arguments_of(call: ToolCall) -> Any:
    """Return the arguments' value, or their text where that is no JSON."""
    try:
        return json.loads(call.arguments)
    except (ValueError, RecursionError):
        return call.arguments


def calls_in(text: str) -> list[ToolCall] | None:
    """Return the calls that a text is, one or a list of them; None where it is none."""
    try:
        value = json.loads(text)
        told = [value] if isinstance(value, dict) else value
        return [tool_call(each) for each in told] or None
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return None


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
