"""A streamed chat completion: server-sent events added up to the body that a whole answer has."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, NamedTuple

from llmops.errors import WorldError
from llmops.models.protocol.completions import REASONING_FIELDS, text_of
from llmops.models.protocol.faults import read_error
from llmops.models.protocol.server_json import json_or_text, writable
from llmops.models.protocol.streamed_calls import Calls

DONE = "[DONE]"
WORDS = ("content", "refusal", *REASONING_FIELDS)
"""The fields of a delta whose pieces are put together as text."""


class Event(NamedTuple):
    """One server-sent event."""

    name: str
    data: str


class Streamed(NamedTuple):
    """What a stream adds up to."""

    body: dict[str, Any]
    first_token_at: float | None
    """By the clock that was given; None when no token came."""


async def added_up(pieces: AsyncIterator[bytes], clock: Callable[[], float]) -> Streamed:
    """Return the whole completion of a stream, and when its first token came.

    Chunks without choices count too: the last one may hold the usage alone.

    Raises:
        WorldError: an event is an error, whatever the stream's status said, or no JSON, or the stream
            ends before the answer does.
    """
    whole, first_token_at, ended = _Whole(), None, False
    async for event in events(pieces):
        if event.data == DONE:
            ended = True
            break
        chunk = _chunk(event)
        if whole.add(chunk) and first_token_at is None:
            first_token_at = clock()
    if not ended and whole.finish_reason is None:
        raise WorldError("connection", "the stream broke off before the answer ended", transient=True)
    return Streamed(whole.body(), first_token_at)


async def events(pieces: AsyncIterator[bytes]) -> AsyncIterator[Event]:
    """Yield the events of a stream, as the HTML standard reads them, comments left out.

    An ``error:`` line, as llama.cpp once sent it, is the data of an event of that name. The bytes are
    split at line feeds only: JSON may hold other characters that end a line elsewhere, such as U+2028.
    """
    name, data = "", list[str]()
    async for line in _lines(pieces):
        field, _, value = line.partition(":")
        match field:
            case "":
                if not line and data:
                    yield Event(name, "\n".join(data))
                    name, data = "", []
            case "event":
                name = value.strip()
            case "data":
                data.append(value.removeprefix(" "))
            case "error":
                name, data = "error", [*data, value.removeprefix(" ")]
    if data:
        yield Event(name, "\n".join(data))


async def _lines(pieces: AsyncIterator[bytes]) -> AsyncIterator[str]:
    rest = b""
    async for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            yield line.decode("utf-8", "replace").rstrip("\r")
    if rest:
        yield rest.decode("utf-8", "replace").rstrip("\r")


def _chunk(event: Event) -> Mapping[str, Any]:
    try:
        chunk = json.loads(event.data)
    except (ValueError, RecursionError):
        chunk = None
    if event.name == "error" or (isinstance(chunk, Mapping) and chunk.get("error")):
        raise read_error(200, json_or_text(event.data))
    if not isinstance(chunk, Mapping):
        raise WorldError("bad_reply", f"an event of the stream is no JSON: {event.data}", transient=True)
    return chunk


class _Whole:
    """The completion so far."""

    def __init__(self) -> None:
        self.finish_reason: str | None = None
        self._told: dict[str, Any] = {}
        self._words: dict[str, list[str]] = {}
        self._calls = Calls()
        self._logprobs: list[Any] = []

    def add(self, chunk: Mapping[str, Any]) -> bool:
        """Take one chunk; tell whether it brought a part of the answer."""
        for field in ("id", "model", "system_fingerprint", "service_tier", "usage"):
            if chunk.get(field):
                self._told[field] = chunk[field]
        try:
            return any([self._add_choice(choice) for choice in chunk.get("choices") or []])
        except (TypeError, AttributeError, KeyError) as problem:
            what = f"{type(problem).__name__}: {problem}"
            raise WorldError(
                "bad_reply", f"an event of the stream is no chunk ({what})", transient=True
            ) from None

    def _add_choice(self, choice: Mapping[str, Any]) -> bool:
        self.finish_reason = choice.get("finish_reason") or self.finish_reason
        if told := choice.get("logprobs"):
            self._logprobs += told.get("content") or []
        delta = choice.get("delta") or {}
        said = {field: text for field in WORDS if (text := _text(delta.get(field)))}
        for field, piece in said.items():
            self._words.setdefault(field, []).append(piece)
        calls = delta.get("tool_calls") or []
        self._calls.take(calls)
        if old := delta.get("function_call"):
            self._calls.take([{"index": 0, "function": old}])
        return bool(said or calls or old)

    def body(self) -> dict[str, Any]:
        """Return it in the shape of an answer that came as a whole."""
        message: dict[str, Any] = {field: "".join(pieces) for field, pieces in self._words.items()}
        calls = self._calls.whole()
        message.setdefault("content", None if calls else "")
        if calls:
            message["tool_calls"] = calls
        choice = {
            "message": message,
            "finish_reason": self.finish_reason,
            "logprobs": {"content": self._logprobs},
        }
        return _writable({**self._told, "choices": [choice]})


def _text(piece: Any) -> str:
    text = text_of(piece) or ""
    if not isinstance(text, str):
        raise TypeError(f"a piece of the text is a {type(text).__name__}")
    return text


def _writable(body: dict[str, Any]) -> dict[str, Any]:
    """Return the body as it can be kept: halves of one surrogate pair may come in two chunks."""
    try:
        return {field: writable(value) for field, value in body.items()}
    except RecursionError:
        raise WorldError("bad_reply", "the stream's answer is nested too deeply", transient=True) from None
