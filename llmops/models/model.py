"""A Model: the record of functions that turns a Request into a Reply."""

import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from llmops.models.batches import Batches
from llmops.prices import Price
from llmops.records import Reply, Request

Ask = Callable[[Request], Awaitable[Reply]]


async def nothing_to_close() -> None:
    """Close a model that holds nothing open."""


@dataclass(frozen=True)
class Model:
    """One model as params.yaml names it; a wrapper takes one and returns one.

    Attributes:
        identity: all that can change its answers, JSON-able, never a secret: ``kind``, ``model``, and
            ``base_url`` or the weights' sha256. It is in the store's key.
        wire: the request as this kind sends it, JSON-able. It is in the store's key.
        ask: returns the Reply, or raises WorldError for a fault and UserError for what the user can mend.
        stored: False for answers that exist already and are only looked up.
        concurrency: the most requests that it takes at once; None for as many as the stage sends.
        batches: what sends its requests in batches; None when it is asked request by request. Such a
            model wants all of its requests at once: it sends what has come when no more comes.
    """

    name: str
    identity: dict[str, Any]
    wire: Callable[[Request], dict[str, Any]]
    ask: Ask
    close: Callable[[], Awaitable[None]] = nothing_to_close
    stored: bool = True
    price: Price | None = None
    concurrency: int | None = None
    batches: Batches | None = None


def request_key(model: Model, request: Request) -> str:
    """Return the store's key: sha256 of the canonical JSON of identity, wire and repeat, as hex.

    Canonical: keys sorted, no spaces, UTF-8.
    """
    whole = {"identity": model.identity, "wire": model.wire(request), "repeat": request.repeat}
    return _sha256(whole)


def identity_digest(model: Model) -> str:
    """Return the first 16 hex digits of the sha256 of the model's identity."""
    return _sha256(model.identity)[:16]


def _sha256(value: dict[str, Any]) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
