"""JSON sent to a server over libcurl, and what comes back."""

import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from functools import cached_property
from io import BytesIO
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

import msgspec
import pycurl

from llmops.errors import WorldError
from llmops.models.limits.told import Told, retry_after_s
from llmops.models.protocol.address import Address, in_ascii
from llmops.models.protocol.curl import Left, common_request, fault_of
from llmops.models.protocol.faults import read_error
from llmops.models.protocol.kept import Kept
from llmops.models.protocol.server_json import json_or_text, read_json

CONNECT_S = 20.0
"""Seconds to reach a server; the answer itself may take longer."""
CONNECT_SHARE = 0.5
"""Of the time of an attempt, where that is short: so a server that is not reached is told from a slow one."""
FIRST_S, FIRST_SHARE = 1.0, 0.25
"""Longest wait until the first request has reached the server: seconds, and share of the time to connect."""
MOST_KEPT = 10_000
"""Idle connections that are kept; libcurl closes more of them where many answers come at once."""

_encode = msgspec.json.Encoder().encode


class Received(NamedTuple):
    """What a server sends, headers first."""

    headers: Mapping[str, str]
    """By names in small letters."""
    pieces: AsyncIterator[bytes]
    """The body, on its way."""


class Exchange:
    """An open door to one server. Connections are kept and used again; redirects are not followed.

    Args:
        timeout_s: seconds that its caller gives an attempt.
    """

    def __init__(self, address: Address, told: Told, timeout_s: float) -> None:
        self._address, self._told = address, told
        self._base_url = in_ascii(address.base_url)
        self._connect_s = min(CONNECT_S, CONNECT_SHARE * timeout_s)
        self._transfers = pycurl.AsyncCurlMulti()
        self._transfers.setopt(pycurl.M_MAXCONNECTS, MOST_KEPT)
        self._kept = Kept()
        self._reaching, self._reached = False, asyncio.Event()

    async def post(self, path: str, body: dict[str, Any]) -> Any:
        """Return the decoded JSON that the server answers.

        Raises:
            WorldError: no answer came, it is an error, or no JSON.
        """
        return decoded(await self._whole(path, body))

    async def get(self, path: str) -> Any:
        """Return the decoded JSON at a path, as ``post`` does."""
        return decoded(await self._whole(path))

    async def _whole(self, path: str, body: dict[str, Any] | None = None) -> bytes:
        while True:
            with suppress(Left):
                return await self._answer(path, body)

    async def _answer(self, path: str, body: dict[str, Any] | None) -> bytes:
        request, lines, content = self._request(path, body), list[bytes](), BytesIO()
        request.setopt(pycurl.HEADERFUNCTION, lines.append)
        request.setopt(pycurl.WRITEFUNCTION, content.write)
        await self._turn()
        try:
            await self._transfers.perform(request)
        except pycurl.error as problem:
            raise fault_of(problem, request) from None
        finally:
            self._reached.set()
        headers = self._heard(lines)
        whole = _unzipped(headers, content.getvalue())
        if request.getinfo(pycurl.RESPONSE_CODE) >= 300:
            raise _refusal(request, headers, whole)
        return whole

    @asynccontextmanager
    async def stream(self, path: str, body: dict[str, Any]) -> AsyncIterator[Received]:
        """Post, and give the answer while its body is on its way; what is not read of it is given up.

        Raises:
            WorldError: no answer came, it is an error, or it breaks off.
        """
        given = False
        while not given:
            with suppress(Left):
                async with self._answering(path, body) as received:
                    given = True
                    yield received

    @asynccontextmanager
    async def _answering(self, path: str, body: dict[str, Any]) -> AsyncIterator[Received]:
        request, lines, pieces = self._request(path, body), list[bytes](), asyncio.Queue[bytes | None]()
        request.setopt(pycurl.HEADERFUNCTION, lines.append)
        request.setopt(pycurl.WRITEFUNCTION, pieces.put_nowait)
        await self._turn()
        done = self._transfers.add_handle(request)
        done.add_done_callback(lambda _: pieces.put_nowait(None))
        try:
            first = await pieces.get()  # behind the headers
            rest = _read(first, pieces, done)
            if first is None:
                await done
            headers = self._heard(lines)
            if request.getinfo(pycurl.RESPONSE_CODE) >= 300:
                whole = b"".join([piece async for piece in rest])
                raise _refusal(request, headers, _unzipped(headers, whole))
            yield Received(headers, rest)
        except pycurl.error as problem:
            raise fault_of(problem, request) from None
        finally:
            self._reached.set()
            if not (done.cancel() or done.cancelled()):
                done.exception()  # seen, or it would be told where an answer is left before its end

    async def close(self) -> None:
        """Close the connections."""
        await self._transfers.aclose()

    async def _turn(self) -> None:
        """Let the first request reach the server alone: each of them would look its name up for itself."""
        if self._reaching and not self._reached.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(min(FIRST_S, FIRST_SHARE * self._connect_s)):
                    await self._reached.wait()
        self._reaching = True

    def _request(self, path: str, body: dict[str, Any] | None) -> pycurl.Curl:
        request = self._blank.duphandle()
        request.setopt(pycurl.URL, self._base_url + path)
        if body is not None:
            data = _encoded(body)
            request.setopt(pycurl.POST, 1)
            request.setopt(pycurl.POSTFIELDSIZE, len(data))
            # Given as POSTFIELDS, libcurl would send it again by itself when a kept connection breaks off: a
            # second call that nobody counts. What it reads from a function it can send only once.
            request.setopt(pycurl.READFUNCTION, BytesIO(data).read)
        return request

    @cached_property
    def _blank(self) -> pycurl.Curl:
        blank = common_request(self._address, self._connect_s)
        blank.setopt(pycurl.SOCKOPTFUNCTION, self._opens)
        blank.setopt(pycurl.PREREQFUNCTION, self._sends)
        return blank

    def _opens(self, descriptor: int, _purpose: int) -> int:
        self._kept.open(descriptor)
        return int(pycurl.SOCKOPT_OK)

    def _sends(self, _host: str, own_host: str, _port: int, own_port: int) -> int:
        self._reached.set()
        left = self._kept.is_left((own_host, own_port))
        return int(pycurl.PREREQFUNC_ABORT if left else pycurl.PREREQFUNC_OK)

    def _heard(self, lines: Iterable[bytes]) -> dict[str, str]:
        headers = dict[str, str]()
        for line in lines:
            if line.startswith(b"HTTP/"):
                headers.clear()  # those of a proxy or of an answer in between
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        self._told.hear(headers)
        return headers


async def _read(
    first: bytes | None, pieces: "asyncio.Queue[bytes | None]", done: "asyncio.Future[pycurl.Curl]"
) -> AsyncIterator[bytes]:
    piece = first
    while piece is not None:
        yield piece
        piece = await pieces.get()
    await done


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


def _refusal(answered: pycurl.Curl, headers: Mapping[str, str], content: bytes) -> WorldError:
    status = answered.getinfo(pycurl.RESPONSE_CODE)
    if status < 400 and "location" in headers:
        goal = _goal(answered.getinfo(pycurl.EFFECTIVE_URL), headers["location"])
        return WorldError("redirected", f"redirects to {goal}", transient=False)
    fault = read_error(status, json_or_text(content))
    fault.retry_after_s = retry_after_s(headers)
    return fault


def _goal(url: str, location: str) -> str:
    """Return where a redirect goes, without what may be secret in it."""
    try:
        goal = urlsplit(urljoin(url, location))
        return repr(f"{goal.scheme}://{goal.hostname}{f':{goal.port}' if goal.port else ''}{goal.path}")
    except ValueError:
        return "an address that is none"


def _unzipped(headers: Mapping[str, str], content: bytes) -> bytes:
    """Return the body as it was; nobody asked to have it packed, but some servers do, or say so."""
    if headers.get("content-encoding", "").lower() in {"gzip", "x-gzip"}:
        with suppress(OSError, EOFError, zlib.error):
            return gzip.decompress(content)
    return content
