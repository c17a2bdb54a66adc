"""The door to ``openai``: any server that speaks the OpenAI chat protocol."""

import asyncio
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from time import monotonic
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

import httpx2  # what openai is built on: its Response keeps the headers and the body as sent
import openai
from msgspec.structs import replace

from llmops.errors import WorldError
from llmops.models.address import Address, address_of, checked_url, explained
from llmops.models.chat_body import chat_body
from llmops.models.completions import read_answer
from llmops.models.model import Model, not_open
from llmops.models.server_errors import read_error
from llmops.models.specs import OPENAI_URL, OpenAISpec, sampling_identity
from llmops.models.streams import added_up
from llmops.models.told import Told, retry_after_s
from llmops.records import Fault, Reply, Request

CONNECT_S = 20.0
"""Seconds to reach a server; the answer itself may take the spec's ``timeout_s``."""
PATH = "/chat/completions"

_UNREACHED = frozenset({"ConnectError", "ClientConnectorError", "ConnectionRefusedError", "gaierror"})
_BROKEN_OFF = frozenset({"ServerDisconnectedError", "ClientOSError", "ConnectionResetError"})
_Problem = WorldError | openai.APIError | httpx2.HTTPError


class _Received(NamedTuple):
    """What a server sent."""

    headers: Mapping[str, str]
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
    )


def open_openai(name: str, spec: OpenAISpec) -> Model:
    """Return the model behind ``spec.base_url``.

    Raises:
        UserError: the key's variable is not set, or base_url is none.
    """
    address = address_of(name, spec)
    closed = closed_openai(name, spec)
    client = _client(address, spec.timeout_s, closed.told)

    async def ask(request: Request) -> Reply:
        body = closed.wire(request)
        try:
            async with asyncio.timeout(spec.timeout_s):
                received = await _send(client, body)
            reply = read_answer(received.body, request, spec.sampling, body, received.first_token_s)
            return _within(reply, spec.context)
        except TimeoutError:
            raise WorldError("timeout", f"no answer within {spec.timeout_s:g} s", transient=True) from None
        except (WorldError, openai.APIError, httpx2.HTTPError) as problem:
            raise explained(_fault_of(problem), address) from None

    return dataclasses.replace(closed, ask=ask, close=client.close)


async def listed(name: str, spec: OpenAISpec) -> list[dict[str, Any]]:
    """Return what the server tells of each of its models.

    Raises:
        UserError: as ``open_openai``, or the key is refused.
        WorldError: it tells nothing, or cannot be reached.
    """
    address = address_of(name, spec)
    client = _client(address, min(CONNECT_S, spec.timeout_s), Told())
    try:
        body = _decoded(await client.get("/models", cast_to=httpx2.Response))
    except (WorldError, openai.APIError) as problem:
        raise explained(_fault_of(problem), address) from None
    finally:
        await client.close()
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


async def _send(client: openai.AsyncOpenAI, body: dict[str, Any]) -> _Received:
    """Post the body as it is: ``chat.completions.create`` would take half as much time again."""
    if body.get("stream"):
        return await _streamed(client, body)
    response = await client.post(PATH, cast_to=httpx2.Response, body=body)
    return _Received(response.headers, _decoded(response))


async def _streamed(client: openai.AsyncOpenAI, body: dict[str, Any]) -> _Received:
    started = monotonic()
    response: Any = await client.post(
        PATH, cast_to=httpx2.Response, body=body, stream=True, stream_cls=openai.AsyncStream[Any]
    )
    try:
        if not response.headers.get("content-type", "").startswith("text/event-stream"):
            await response.aread()  # a server that does not stream answers as a whole
            return _Received(response.headers, _decoded(response))
        whole = await added_up(response.aiter_bytes(), monotonic)
    finally:
        await response.aclose()
    first = None if whole.first_token_at is None else round(whole.first_token_at - started, 6)
    return _Received(response.headers, whole.body, first)


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


def _client(address: Address, timeout_s: float, told: Told) -> openai.AsyncOpenAI:
    async def hear(response: httpx2.Response) -> None:
        told.hear(response.headers)

    settings: dict[str, Any] = {"follow_redirects": False, "event_hooks": {"response": [hear]}}
    try:
        http_client = openai.DefaultAioHttpClient(**settings)  # 1.6 times the requests a second
    except RuntimeError:  # aiohttp is not installed
        http_client = openai.DefaultAsyncHttpxClient(**settings)
    return openai.AsyncOpenAI(
        api_key=address.key,
        base_url=address.base_url,
        max_retries=0,  # `retrying` does it, where each attempt is booked
        timeout=httpx2.Timeout(timeout_s, connect=min(CONNECT_S, timeout_s)),
        http_client=http_client,
    )


def _decoded(response: httpx2.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        start = response.text[:80]
        raise WorldError("bad_reply", f"the server's reply is no JSON: {start!r}", transient=True) from None


def _fault_of(problem: _Problem) -> WorldError:
    if isinstance(problem, WorldError):
        return problem
    if isinstance(problem, openai.APIStatusError):
        if problem.response.has_redirect_location:
            return _redirected(problem.response)
        fault = read_error(problem.status_code, problem.body)
        fault.retry_after_s = retry_after_s(problem.response.headers)
        return fault
    names = {type(cause).__name__ for cause in _causes(problem)}
    if names & _UNREACHED:
        return WorldError("unreachable", "no connection to the server", transient=True)
    if isinstance(problem, openai.APITimeoutError | httpx2.TimeoutException) and not names & _BROKEN_OFF:
        return WorldError("timeout", "the server took too long", transient=True)
    return WorldError("connection", f"the connection broke off ({', '.join(sorted(names))})", transient=True)


def _redirected(response: httpx2.Response) -> WorldError:
    goal = urlsplit(urljoin(str(response.request.url), response.headers["location"]))
    shown = f"{goal.scheme}://{goal.hostname}{f':{goal.port}' if goal.port else ''}{goal.path}"
    return WorldError("redirected", f"redirects to {shown!r}", transient=False)


def _causes(problem: BaseException | None) -> Iterator[BaseException]:
    while problem is not None:
        yield problem
        problem = problem.__cause__ or problem.__context__
