"""A Model: the record of functions that turns a Request into a Reply."""

import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from llmops.models.batches.batch import Batches
from llmops.models.limits.told import Told
from llmops.prices import Price
from llmops.replies import Reply, Request

Ask = Callable[[Request], Awaitable[Reply]]

_canonical = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
).encode


async def nothing_to_close() -> None:
    """Close a model that holds nothing open."""


async def always_ready() -> None:
    """Prepare a model that needs nothing more."""


@dataclass(frozen=True)
class Model:
    """One model as params.yaml names it; a wrapper takes one and returns one.

    Attributes:
        identity: all that can change its answers, JSON-able, never a secret: ``kind``, ``model``, and
            ``base_url`` or the weights' sha256. It is in the store's key.
        wire: the request as this kind sends it, JSON-able. It is in the store's key.
        ask: returns the Reply, or raises WorldError for a fault and UserError for what the user can mend.
        ready: loads what asking needs, once; it is waited for before the first request and is no latency.
        stored: False for answers that exist already and are only looked up.
        concurrency: the most requests that it takes at once; None for as many as the stage sends.
        tier: the service tier of all its answers, which prices them, where that is known before: ``batch``.
        batches: what sends its requests in batches; None when it is asked request by request. Such a
            model wants all of its requests at once: it sends what has come when no more comes.
        told: what its server last told of its rate limits.
    """

    name: str
    identity: dict[str, Any]
    wire: Callable[[Request], dict[str, Any]]
    ask: Ask
    close: Callable[[], Awaitable[None]] = nothing_to_close
    ready: Callable[[], Awaitable[None]] = always_ready
    stored: bool = True
    price: Price | None = None
    concurrency: int | None = None
    tier: str | None = None
    batches: Batches | None = None
    told: Told = field(default_factory=Told)

    @cached_property
    def identity_text(self) -> str:
        """The identity's part of every key, which is worked out once."""
        return _canonical(self.identity)


def request_text(model: Model, request: Request) -> str:
    """Return the canonical JSON of identity, wire and repeat: keys sorted, no spaces."""
    return _text(model.identity_text, model.wire(request), request.repeat)


def text_of(identity: dict[str, Any], wire: dict[str, Any], repeat: int) -> str:
    """Return the canonical JSON of a request that is known by its parts."""
    return _text(_canonical(identity), wire, repeat)


def _text(identity: str, wire: dict[str, Any], repeat: int) -> str:
    return f'{{"identity":{identity},"repeat":{repeat},"wire":{_canonical(wire)}}}'


def key_of(text: str) -> str:
    """Return the store's key of a canonical request: the sha256 of its UTF-8, as hex."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def request_key(model: Model, request: Request) -> str:
    """Return the store's key: everything that can change the answer is in it, nothing else."""
    return key_of(request_text(model, request))


def identity_digest(model: Model) -> str:
    """Return the beginning of the sha256 of the model's identity, which tells models apart in file names."""
    return key_of(model.identity_text)[:16]


async def not_open(request: Request) -> Reply:
    """Refuse to be asked: the model is only known by its settings.

    Raises:
        RuntimeError: always.
    """
    raise RuntimeError(f"{request.example_id} was asked of a model that is not open")
