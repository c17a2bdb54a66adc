"""The JSON Schema that a prompt says its answers hold to."""

import re
from pathlib import Path
from typing import Any

import msgspec

from llmops.errors import UserError
from llmops.places import project_file, watched
from llmops.replies import ResponseFormat
from llmops.schemas import check_schema

FOLDERS = ("prompts",)
"""Where DVC sees an edit of a prompt's schema."""


def load_response_format(root: Path, told: str | dict[str, Any], where: str) -> ResponseFormat:
    """Return the schema that stands in a prompt file, or in the file that it names.

    Args:
        told: the schema, or the path of a JSON file below ``prompts/``.

    Raises:
        UserError: no such file there, or no JSON Schema (the message starts with ``where``).
    """
    if isinstance(told, str):
        watched(told, FOLDERS, where)
        content = project_file(root, told, where).read_bytes()
        check_schema(content.decode("utf-8", "replace"), f"{where}: {told}")
        told = msgspec.json.decode(content)
    check_schema(msgspec.json.encode(told).decode(), where)
    if not isinstance(told, dict):
        raise UserError(f"{where}: is {told!r}; must be a JSON Schema that is an object")
    return ResponseFormat(name=_name(told), json_schema=told, strict=_is_closed(told))


def _name(schema: dict[str, Any]) -> str:
    """Return a name as OpenAI takes it; it is sent, so the file's own name is not in it."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", str(schema.get("title") or "answer"))[:64]


def _is_closed(schema: Any) -> bool:
    if isinstance(schema, list):
        return all(_is_closed(part) for part in schema)
    if not isinstance(schema, dict):
        return True
    named = schema.get("properties")
    if isinstance(named, dict) or schema.get("type") == "object":
        closed = schema.get("additionalProperties") is False
        if not closed or set(schema.get("required", [])) != set(named or {}):
            return False
    return all(_is_closed(part) for part in schema.values())
