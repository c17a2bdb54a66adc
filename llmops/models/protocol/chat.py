"""Models behind any server that speaks the OpenAI chat protocol."""

import asyncio
import dataclasses
from collections.abc import Callable
from time import monotonic
from typing import Any, NamedTuple

from msgspec.structs import replace

from llmops.errors import UserError, WorldError
from llmops.models.limits.told import Told
from llmops.models.model import Model, not_open
from llmops.models.protocol.address import Address, address_of, checked_url, explained
from llmops.models.protocol.body import chat_body
from llmops.models.protocol.completions import read_answer, read_completion
from llmops.models.protocol.exchange import CONNECT_S, Exchange, decoded
from llmops.models.protocol.streams import added_up
from llmops.models.specs import OPENAI_URL, BatchSpec, OpenAISpec, sampling_identity
from llmops.prices import BATCH
from llmops.replies import Fault, Reply, Request

PATH = "/chat/completions"


class _Received(NamedTuple):
    """What a server sent."""

    body: Any
    first_token_s: float | None = None


def closed_openai(name: str, spec: OpenAISpec) -> Model:
    """Return the model known by its settings alone: it needs no key, and cannot be asked."""
    base_url = checked_url(name, spec.base_url)
    return Model(
        name,
        _identity(spec, base_url),
        _wire(spec, base_url),
        not_open,
        price=spec.price,
        concurrency=spec.concurrency,
        tier=BATCH if spec.mode == "batch" else None,
    )


def open_openai(name: str, spec: OpenAISpec) -> Model:
    """Return the model behind ``spec.base_url``.

    Raises:
        UserError: the key's variable is not set, or base_url is none.
    """
    address = address_of(name, spec)
    closed = closed_openai(name, spec)
    if spec.mode != "direct":
        return _in_batches(closed, spec, address)
    exchange = Exchange(address, closed.told, spec.timeout_s)

    async def ask(request: Request) -> Reply:
        body = closed.wire(request)
        try:
            async with asyncio.timeout(spec.timeout_s):
                received = await _send(exchange, body)
            reply = read_answer(received.body, request, spec.sampling, body, received.first_token_s)
            return _within(reply, spec.context)
        except TimeoutError:
            raise WorldError("timeout", f"no answer within {spec.timeout_s:g} s", transient=True) from None
        except WorldError as fault:
            raise explained(fault, address) from None

    return dataclasses.replace(closed, ask=ask, close=exchange.close)


def _in_batches(closed: Model, spec: OpenAISpec, address: Address) -> Model:
    from llmops.models.protocol.batches import open_batches  # openai takes half a second to load
    from llmops.models.protocol.client import Problem, fault_of, open_client

    def read(body: Any, request: Request | None) -> Reply:
        if request is None:
            return _within(read_completion(body), spec.context)
        return _within(read_answer(body, request, spec.sampling, closed.wire(request)), spec.context)

    def spoken(problem: Problem) -> WorldError | UserError:
        return explained(fault_of(problem), address)

    client = open_client(address, spec.timeout_s)
    batches = open_batches(client, spec.batch or BatchSpec(), read, spoken)
    return dataclasses.replace(closed, close=client.close, batches=batches)


async def listed(name: str, spec: OpenAISpec) -> list[dict[str, Any]]:
    """Return what the server tells of each of its models.

    Raises:
        UserError: as ``open_openai``, or the key is refused.
        WorldError: it tells nothing, or cannot be reached.
    """
    address = address_of(name, spec)
    within_s = min(CONNECT_S, spec.timeout_s)
    exchange = Exchange(address, Told(), within_s)
    try:
        async with asyncio.timeout(within_s):
            body = await exchange.get("/models")
    except TimeoutError:
        raise WorldError("timeout", "the list of models did not come in time", transient=True) from None
    except WorldError as fault:
        raise explained(fault, address) from None
    finally:
        await exchange.close()
    rows = body.get("data") if isinstance(body, dict) else None
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _identity(spec: OpenAISpec, base_url: str) -> dict[str, Any]:
    known = {
        "kind": "openai",
        "base_url": base_url,
        "model": spec.model,
        "sampling": sampling_identity(spec.sampling),
    }
    return known if spec.context is None else {**known, "context": spec.context}


async def _send(exchange: Exchange, body: dict[str, Any]) -> _Received:
    if not body.get("stream"):
        return _Received(await exchange.post(PATH, body))
    started = monotonic()
    async with exchange.stream(PATH, body) as received:
        if not received.headers.get("content-type", "").startswith("text/event-stream"):
            return _Received(decoded(b"".join([piece async for piece in received.pieces])))  # a whole answer
        whole = await added_up(received.pieces, monotonic)
    first = None if whole.first_token_at is None else round(whole.first_token_at - started, 6)
    return _Received(whole.body, first)


def _within(reply: Reply, context: int | None) -> Reply:
    """Return the reply, with an error where the server counts a prompt that its context cannot have held.

    Some servers answer such a prompt all the same, from a part of it or with nonsense.
    """
    given = reply.input_tokens or 0
    if context is None or reply.usage_source != "server" or given < context or reply.error is not None:
        return reply
    message = f"the server answered a prompt of {given} tokens from a context of {context}"
    return replace(reply, error=Fault(kind="context_overflow", message=message))


def _wire(spec: OpenAISpec, base_url: str) -> Callable[[Request], dict[str, Any]]:
    at_openai = base_url == OPENAI_URL
    field = spec.max_tokens_field or ("max_completion_tokens" if at_openai else "max_tokens")

    def wire(request: Request) -> dict[str, Any]:
        body = {"model": spec.model, **chat_body(request, spec.sampling, field), **spec.extra}
        return {key: value for key, value in body.items() if value is not None}

    return wire
