"""JSON as servers write it, read as far as it can be."""

import json
import re
from typing import Any

import msgspec

_LONE = re.compile("[\ud800-\udfff]")
"""Half of a surrogate pair, which JSON can escape and UTF-8 cannot hold."""

_decode = msgspec.json.Decoder().decode


def read_json(content: bytes | str) -> Any:
    """Return the value of a JSON text, which may hold NaN, and halves of surrogate pairs as U+FFFD.

    >>> read_json('{"text": "\\\\ud83d!", "usage": NaN}')
    {'text': '�!', 'usage': nan}

    Raises:
        ValueError: it is no JSON, or is nested too deeply to be read.
    """
    try:
        return _decode(content)
    except (ValueError, RecursionError):
        pass  # msgspec refuses some that servers write
    try:
        return writable(json.loads(content))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def json_or_text(content: bytes | str) -> Any:
    """Return the value of a JSON text, or the text itself where it is none."""
    try:
        return read_json(content)
    except ValueError:
        return writable(content if isinstance(content, str) else content.decode("utf-8", "replace"))


def writable(value: Any) -> Any:
    """Return a JSON value with surrogate pairs joined, and U+FFFD in the place of half a one.

    >>> writable(["\\ud83d" + "\\ude00", "\\ud83d"])
    ['😀', '�']
    """
    if isinstance(value, str):
        return _joined(value) if _LONE.search(value) else value
    if isinstance(value, list):
        return [writable(item) for item in value]
    if isinstance(value, dict):
        return {writable(key): writable(item) for key, item in value.items()}
    return value


def _joined(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
