"""The rows of a batch's files: requests as they are sent, results as they are read."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from llmops.errors import UserError, WorldError
from llmops.models.protocol.faults import read_error
from llmops.models.protocol.server_json import read_json
from llmops.replies import Reply

ENDPOINT: Final = "/v1/chat/completions"

Read = Callable[[str, Any], Reply]
Outcome = Reply | WorldError | UserError


class Line(NamedTuple):
    """One request as a line of the file; its custom_id is the store's key."""

    key: str
    content: bytes


class Row(NamedTuple):
    """What a line of a result file says."""

    key: str
    outcome: Outcome
    billed: bool | None
    """None where it cannot be told: a success that is no completion."""


class _Result(msgspec.Struct):
    custom_id: str
    response: dict[str, Any] | None = None
    error: dict[str, Any] | None = None


def request_line(key: str, body: Mapping[str, Any]) -> Line:
    """Return the line that asks ``body``."""
    row = {"custom_id": key, "method": "POST", "url": ENDPOINT, "body": body}
    return Line(key, msgspec.json.encode(row) + b"\n")


def shares(lines: Iterable[Line], max_requests: int, max_bytes: int) -> Iterator[list[Line]]:
    """Yield the lines in shares that each fit into one batch."""
    share: list[Line] = []
    size = 0
    for line in lines:
        if share and (len(share) == max_requests or size + len(line.content) > max_bytes):
            yield share
            share, size = [], 0
        share.append(line)
        size += len(line.content)
    if share:
        yield share


def read_row(line: bytes, read: Read) -> Row:
    """Return what a line of a result file says; the file is not trusted.

    Args:
        read: (custom_id, body of a completion) → the Reply.

    Raises:
        ValueError: the line is no result.
    """
    try:
        result = msgspec.convert(read_json(line), _Result)
    except msgspec.ValidationError as problem:
        raise ValueError(str(problem)) from None
    if result.response is None:
        return Row(result.custom_id, _unprocessed(result.error or {}), billed=False)
    status, body = result.response.get("status_code"), result.response.get("body")
    if not isinstance(status, int):
        raise ValueError(f"status_code is a {type(status).__name__}")
    if status != 200:
        return Row(result.custom_id, read_error(status, body), billed=False)
    try:
        return Row(result.custom_id, read(result.custom_id, body), billed=True)
    except WorldError as fault:
        return Row(result.custom_id, fault, billed=None)


def _unprocessed(error: Mapping[str, Any]) -> WorldError:
    """Return the fault of a request that the batch ended without."""
    code, message = str(error.get("code")), str(error.get("message"))
    match code:
        case "batch_expired":
            return WorldError("expired", message, transient=True)
        case "batch_cancelled":
            return WorldError("cancelled", message, transient=False)
        case "request_timeout":
            return WorldError("timeout", message, transient=True)
    return WorldError("server_error", f"{code}: {message}", transient=True)
