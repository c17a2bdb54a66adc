"""What the requests of a batch were, as far as it is known: nothing of them is kept here but their keys."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from llmops.errors import WorldError
from llmops.models.batches.batch import Batches
from llmops.models.batches.journal import Entry
from llmops.replies import Message, Request, ResponseFormat, ToolCall


async def known_requests(
    batches: Batches, entry: Entry, asked_now: Mapping[str, Request | None]
) -> dict[str, Request | None]:
    """Return the requests with those that nobody asks for now read from the file that was uploaded.

    Where the provider does not give that file any more they stay None.

    Args:
        asked_now: key → the request, None where nobody asks for it.

    Raises:
        WorldError: the file could not be fetched just now.
    """
    found = dict(asked_now)
    if entry.file_id is None or None not in found.values():
        return found
    try:
        async for line in batches.lines(entry.file_id):
            key, request = read_line(line)
            if key in found and found[key] is None:
                found[key] = request
    except WorldError as fault:
        if fault.transient:
            raise
    return found


class _Function(msgspec.Struct):
    name: str
    arguments: str


class _Call(msgspec.Struct):
    id: str
    function: _Function


class _Said(msgspec.Struct):
    role: Literal["system", "user", "assistant", "tool"]
    content: str | None = None
    tool_calls: list[_Call] = []
    tool_call_id: str | None = None


class _Schema(msgspec.Struct):
    name: str
    schema: dict[str, Any]
    strict: bool = False


class _Format(msgspec.Struct):
    json_schema: _Schema


class _Body(msgspec.Struct):
    messages: list[_Said]
    tools: list[dict[str, Any]] = []
    response_format: _Format | None = None


class _Line(msgspec.Struct):
    custom_id: str
    body: _Body


_line = msgspec.json.Decoder(_Line)


def read_line(line: bytes) -> tuple[str, Request | None]:
    """Return (key, request) of a line of an uploaded file, without a request where it is no line of ours.

    The example, its inputs and the repeat are not in it.
    """
    try:
        read = _line.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "", None
    return read.custom_id, _request(read.body)


def _request(body: _Body) -> Request:
    sent = body.response_format and body.response_format.json_schema
    return Request(
        example_id="",
        inputs={},
        messages=[_message(said) for said in body.messages],
        tools=body.tools,
        response_format=ResponseFormat(sent.name, sent.schema, sent.strict) if sent else None,
    )


def _message(said: _Said) -> Message:
    calls = [ToolCall(call.id, call.function.name, call.function.arguments) for call in said.tool_calls]
    return Message(said.role, said.content or "", calls, said.tool_call_id)
