"""The door to ``aiohttp``: JSON sent to a server, and what comes back."""

import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, nullcontext
from ssl import SSLError
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urljoin, urlsplit

import msgspec

from llmops.errors import WorldError
from llmops.models.limits.told import Told, retry_after_s
from llmops.models.protocol.address import NO_KEY, Address
from llmops.models.protocol.faults import read_error, tls_fault
from llmops.models.protocol.proxy import proxy_of
from llmops.models.protocol.server_json import json_or_text, read_json
from llmops.models.protocol.trust import read_when_needed
from llmops.models.specs import OPENAI_URL

if TYPE_CHECKING:
    import aiohttp

CONNECT_S = 20.0
"""Seconds to reach a server; the answer itself may take longer."""
CONNECT_SHARE = 0.5
"""Of the time of an attempt, where that is short: so a server that is not reached is told from a slow one."""

_encode = msgspec.json.Encoder().encode


class Received(NamedTuple):
    """What a server sent, headers first."""

    headers: Mapping[str, str]
    content: Any
    """An ``aiohttp.StreamReader``: the body, still to be read."""


class Exchange:
    """An open door to one server. Connections are kept and used again; redirects are not followed.

    Nothing is loaded or opened before the first request: a run whose answers are stored sends none.

    Args:
        timeout_s: seconds that its caller gives an attempt.
    """

    def __init__(self, address: Address, told: Told, timeout_s: float) -> None:
        self._address, self._told = address, told
        self._connect_s = min(CONNECT_S, CONNECT_SHARE * timeout_s)
        self._session: aiohttp.ClientSession | None = None

    async def ready(self) -> None:
        """Load the library, which takes a tenth of a second, half of it for certificates that https needs."""
        if "aiohttp" in sys.modules:
            return
        plain = urlsplit(self._address.base_url).scheme == "http"
        with read_when_needed() if plain else nullcontext():
            import aiohttp  # noqa: F401

    async def post(self, path: str, body: dict[str, Any]) -> Any:
        """Return the decoded JSON that the server answers.

        Raises:
            WorldError: no answer came, it is an error, or no JSON.
        """
        async with self.opened("POST", path, body) as received:
            return decoded(await received.content.read())

    async def get(self, path: str) -> Any:
        """Return the decoded JSON at a path, as ``post`` does."""
        async with self.opened("GET", path) as received:
            return decoded(await received.content.read())

    @asynccontextmanager
    async def opened(
        self, method: str, path: str, body: dict[str, Any] | None = None
    ) -> AsyncIterator[Received]:
        """Send a request, and give its answer while the body is still to be read."""
        import aiohttp

        session = self._session = self._session or _session(self._address, self._connect_s)
        data = None if body is None else _encoded(body)
        try:
            async with session.request(
                method, self._address.base_url + path, data=data, allow_redirects=False
            ) as response:
                self._told.hear(response.headers)
                if response.status >= 300:
                    raise _refusal(response, await response.read())
                yield Received(response.headers, response.content)
        except (aiohttp.ClientError, OSError) as problem:
            raise _fault_of(problem) from None

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()


def _session(address: Address, connect_s: float) -> "aiohttp.ClientSession":
    import aiohttp

    return aiohttp.ClientSession(
        headers=_headers(address),
        connector=aiohttp.TCPConnector(limit=0),  # `limited` says how many there are
        timeout=aiohttp.ClientTimeout(total=None, connect=connect_s),
        proxy=proxy_of(address),
    )


def _headers(address: Address) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "User-Agent": "llmops"}
    if address.key != NO_KEY:
        headers["Authorization"] = f"Bearer {address.key}"
    if address.base_url == OPENAI_URL:
        for name, variable in (
            ("OpenAI-Organization", "OPENAI_ORG_ID"),
            ("OpenAI-Project", "OPENAI_PROJECT_ID"),
        ):
            if value := os.environ.get(variable):
                headers[name] = value
    return headers


def _encoded(body: dict[str, Any]) -> bytes:
    try:
        return _encode(body)
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can escape and UTF-8 cannot hold
        return json.dumps(body).encode()


def decoded(content: bytes) -> Any:
    """Return the JSON of a body.

    Raises:
        WorldError: it is no JSON.
    """
    try:
        return read_json(content)
    except ValueError:
        said = content.decode("utf-8", "replace").strip() or "it is empty"
        raise WorldError("bad_reply", f"the server's reply is no JSON: {said}", transient=True) from None


def _refusal(response: "aiohttp.ClientResponse", content: bytes) -> WorldError:
    if response.status < 400 and "location" in response.headers:
        goal = _goal(str(response.url), response.headers["location"])
        return WorldError("redirected", f"redirects to {goal}", transient=False)
    fault = read_error(response.status, json_or_text(content))
    fault.retry_after_s = retry_after_s(response.headers)
    return fault


def _goal(url: str, location: str) -> str:
    """Return where a redirect goes, without what may be secret in it."""
    try:
        goal = urlsplit(urljoin(url, location))
        return repr(f"{goal.scheme}://{goal.hostname}{f':{goal.port}' if goal.port else ''}{goal.path}")
    except ValueError:
        return "an address that is none"


def _fault_of(problem: Exception) -> WorldError:
    import aiohttp

    if isinstance(problem, aiohttp.ClientSSLError) and isinstance(problem.os_error, SSLError):
        return tls_fault(problem.os_error)
    if isinstance(problem, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return WorldError("unreachable", "no connection to the server", transient=True)
    if isinstance(problem, TimeoutError):
        return WorldError("timeout", "the server took too long", transient=True)
    name = type(problem).__name__
    return WorldError("connection", f"the connection broke off ({name})", transient=True)
