"""The door to ``openai``: any server that speaks the OpenAI chat protocol."""

import asyncio
import os
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx2  # what openai is built on: its Response keeps the headers and the body as sent
import openai

from llmops.errors import UserError, WorldError
from llmops.models.completions import chat_body, read_completion, read_error
from llmops.models.model import Model
from llmops.models.openai_batches import open_batches
from llmops.models.specs import OPENAI_URL, BatchSpec, OpenAISpec, sampling_identity
from llmops.records import Reply, Request

CONNECT_S = 20.0
"""Seconds to reach a server; the answer itself may take the spec's ``timeout_s``."""
NO_KEY = "none"

_UNREACHED = frozenset({"ConnectError", "ClientConnectorError", "ConnectionRefusedError", "gaierror"})
_BROKEN_OFF = frozenset({"ServerDisconnectedError", "ClientOSError", "ConnectionResetError"})


class _Place(NamedTuple):
    """Where a model is asked and with what key, to speak of in errors."""

    name: str
    model: str
    base_url: str
    variable: str | None
    key: str


def open_openai(name: str, spec: OpenAISpec) -> Model:
    """Return the model behind ``spec.base_url``.

    Raises:
        UserError: the key's variable is not set, or base_url is none.
    """
    base_url = _checked_url(name, spec.base_url)
    variable = spec.key or ("OPENAI_API_KEY" if base_url == OPENAI_URL else None)
    place = _Place(name, spec.model, base_url, variable, _key(name, variable))
    client = _client(place, spec.timeout_s)
    wire = _wire(spec, base_url)

    async def ask(request: Request) -> Reply:
        try:
            async with asyncio.timeout(spec.timeout_s):
                response = await _send(client, wire(request))
            return read_completion(_decoded(response))
        except TimeoutError:
            raise WorldError("timeout", f"no answer within {spec.timeout_s:g} s", transient=True) from None
        except (WorldError, openai.APIError) as problem:
            raise _spoken(_fault_of(problem), place) from None

    identity = {
        "kind": "openai",
        "base_url": base_url,
        "model": spec.model,
        "sampling": sampling_identity(spec.sampling),
    }
    batches = None
    if spec.mode == "batch":
        batches = open_batches(
            client, spec.batch or BatchSpec(), lambda problem: _spoken(_fault_of(problem), place)
        )
    return Model(
        name, identity, wire, ask, client.close,
        price=spec.price, concurrency=spec.concurrency, batches=batches,
    )  # fmt: skip


async def _send(client: openai.AsyncOpenAI, body: dict[str, Any]) -> httpx2.Response:
    rest = {key: value for key, value in body.items() if key not in {"model", "messages"}}
    raw = await client.chat.completions.with_raw_response.create(
        model=body["model"], messages=body["messages"], extra_body=rest
    )
    return raw.http_response


def _wire(spec: OpenAISpec, base_url: str) -> Callable[[Request], dict[str, Any]]:
    at_openai = base_url == OPENAI_URL
    field = spec.max_tokens_field or ("max_completion_tokens" if at_openai else "max_tokens")

    def wire(request: Request) -> dict[str, Any]:
        body = {"model": spec.model, **chat_body(request, spec.sampling, field), **spec.extra}
        return {key: value for key, value in body.items() if value is not None}

    return wire


def _checked_url(name: str, base_url: str) -> str:
    parts = urlsplit(base_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UserError(f"models.{name}: base_url: is {base_url!r}; must be like {OPENAI_URL!r}")
    if parts.username or parts.password:
        raise UserError(f"models.{name}: base_url: holds a password; name a variable in `key` instead")
    return base_url.rstrip("/")


def _key(name: str, variable: str | None) -> str:
    if variable is not None and not re.fullmatch(r"[A-Z_][A-Z0-9_]*", variable):
        raise UserError(
            f"models.{name}: key: is no name of an environment variable; write e.g. OPENAI_API_KEY"
        )
    if variable is None:
        return NO_KEY
    key = os.environ.get(variable, "").strip()
    if not key:
        raise UserError(
            f"models.{name}: the environment variable {variable} is not set; set it to the API key"
        )
    if not (key.isascii() and key.isprintable()):  # a header would quote it in its error
        raise UserError(f"models.{name}: the environment variable {variable} holds no API key; set it anew")
    return key


def _client(place: _Place, timeout_s: float) -> openai.AsyncOpenAI:
    try:
        http_client = openai.DefaultAioHttpClient()  # 1.6 times the requests a second
    except RuntimeError:  # aiohttp is not installed
        http_client = openai.DefaultAsyncHttpxClient()
    return openai.AsyncOpenAI(
        api_key=place.key,
        base_url=place.base_url,
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


def _fault_of(problem: WorldError | openai.APIError) -> WorldError:
    if isinstance(problem, WorldError):
        return problem
    if isinstance(problem, openai.APIStatusError):
        fault = read_error(problem.status_code, problem.body)
        fault.retry_after_s = _retry_after_s(problem.response.headers)
        return fault
    names = {type(cause).__name__ for cause in _causes(problem)}
    if names & _UNREACHED:
        return WorldError("unreachable", "no connection to the server", transient=True)
    if isinstance(problem, openai.APITimeoutError) and not names & _BROKEN_OFF:
        return WorldError("timeout", "the server took too long", transient=True)
    return WorldError("connection", f"the connection broke off ({', '.join(sorted(names))})", transient=True)


def _causes(problem: BaseException | None) -> Iterator[BaseException]:
    while problem is not None:
        yield problem
        problem = problem.__cause__ or problem.__context__


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return the seconds to wait that ``Retry-After`` gives, as a number or as a date."""
    value = headers.get("retry-after")
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None


def _spoken(fault: WorldError, place: _Place) -> WorldError | UserError:
    """Return the fault without the key in it; one that meets every request is the user's to mend."""
    said = str(fault) if place.key == NO_KEY else str(fault).replace(place.key, "…")
    where = f"models.{place.name}: {place.base_url}"
    match fault.kind:
        case "key" if place.variable is None:
            return UserError(f"{where}: wants a key ({said}); name its environment variable in `key`")
        case "key":
            return UserError(f"{where}: refuses the key in {place.variable} ({said}); set the right one")
        case "quota":
            return UserError(f"{where}: the account has no credit left ({said}); top it up")
        case "unknown":
            return UserError(f"{where}: knows no model {place.model!r} ({said}); mend model or base_url")
    return WorldError(fault.kind, said, transient=fault.transient, retry_after_s=fault.retry_after_s)
