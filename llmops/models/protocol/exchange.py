"""The door to libcurl (``pycurl``): JSON sent to a server, and what comes back."""

import asyncio
import gzip
import json
import os
import re
import ssl
import zlib
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from functools import cached_property
from io import BytesIO
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

import msgspec
import pycurl

from llmops.errors import WorldError
from llmops.models.limits.told import Told, retry_after_s
from llmops.models.protocol.address import NO_KEY, Address, in_ascii
from llmops.models.protocol.faults import OTHER_HOST, no_tls, read_error, untrusted
from llmops.models.protocol.kept import Kept
from llmops.models.protocol.proxy import proxy_of
from llmops.models.protocol.server_json import json_or_text, read_json
from llmops.models.specs import OPENAI_URL

CONNECT_S = 20.0
"""Seconds to reach a server; the answer itself may take longer."""
CONNECT_SHARE = 0.5
"""Of the time of an attempt, where that is short: so a server that is not reached is told from a slow one."""
FIRST_S, FIRST_SHARE = 1.0, 0.25
"""Longest wait until the first request has reached the server: seconds, and share of the time to connect."""
MOST_KEPT = 10_000
"""Idle connections that are kept; libcurl closes more of them where many answers come at once."""

_UNREACHED = frozenset({
    pycurl.E_COULDNT_RESOLVE_PROXY, pycurl.E_COULDNT_RESOLVE_HOST, pycurl.E_COULDNT_CONNECT,
    pycurl.E_OPERATION_TIMEDOUT,  # of connecting: libcurl keeps no other time here
})  # fmt: skip
_NO_TLS = frozenset({pycurl.E_SSL_CONNECT_ERROR, pycurl.E_SSL_CIPHER})
_AROUND = re.compile(r"^SSL: |^.* verify result: | \(\d+\)$")
"""What libcurl puts around OpenSSL's words."""

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
            with suppress(_Left):
                return await self._answer(path, body)

    async def _answer(self, path: str, body: dict[str, Any] | None) -> bytes:
        request, lines, content = self._request(path, body), list[bytes](), BytesIO()
        request.setopt(pycurl.HEADERFUNCTION, lines.append)
        request.setopt(pycurl.WRITEFUNCTION, content.write)
        await self._turn()
        try:
            await self._transfers.perform(request)
        except pycurl.error as problem:
            raise _fault_of(problem, request) from None
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
            with suppress(_Left):
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
            raise _fault_of(problem, request) from None
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
        request.setopt(pycurl.URL, in_ascii(self._address.base_url) + path)
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
        """What all requests have in common."""
        blank = pycurl.Curl()
        for option, value in (
            (pycurl.HTTPHEADER, [header.encode() for header in _headers(self._address)]),
            (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1),
            (pycurl.CONNECTTIMEOUT_MS, max(1, round(1000 * self._connect_s))),
            (pycurl.TCP_KEEPALIVE, 1),
            (pycurl.NOSIGNAL, 1),
            (pycurl.SOCKOPTFUNCTION, self._opens),
            (pycurl.PREREQFUNCTION, self._sends),
            (pycurl.PROXY, proxy_of(self._address) or ""),  # none: what the environment says is read already
            (pycurl.NOPROXY, ""),
            *_trusted(),
        ):
            blank.setopt(option, os.fsencode(value) if isinstance(value, str) else value)
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


def _trusted() -> Iterator[tuple[int, str]]:
    """Yield the options that name the system's certificates, where OpenSSL of Python looks for them."""
    paths = ssl.get_default_verify_paths()
    folders = os.environ.get(paths.openssl_capath_env) or paths.openssl_capath
    for file, folder in (
        (pycurl.CAINFO, pycurl.CAPATH),
        (pycurl.PROXY_CAINFO, pycurl.PROXY_CAPATH),
    ):
        if paths.cafile is not None:
            yield file, paths.cafile
        yield folder, folders


def _headers(address: Address) -> list[str]:
    headers = ["Content-Type: application/json", "User-Agent: llmops", "Expect:"]  # the last is left out
    if address.key != NO_KEY:
        headers.append(f"Authorization: Bearer {address.key}")
    if address.base_url == OPENAI_URL:
        for name, variable in (
            ("OpenAI-Organization", "OPENAI_ORG_ID"),
            ("OpenAI-Project", "OPENAI_PROJECT_ID"),
        ):
            value = os.environ.get(variable, "")
            if printed := "".join(filter(str.isprintable, value)).strip():
                headers.append(f"{name}: {printed}")
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
    """Return the body as it was; nobody asked to have it packed, but some servers do."""
    if headers.get("content-encoding", "").lower() not in {"gzip", "x-gzip"}:
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error):
        raise WorldError("bad_reply", "the server's reply is no gzip, as it says", transient=True) from None


class _Left(Exception):
    """The server had closed the connection before anything was sent on it."""


def _fault_of(problem: pycurl.error, request: pycurl.Curl) -> Exception:
    code, said = problem.args
    if code == pycurl.E_ABORTED_BY_CALLBACK:
        return _Left()
    if code == pycurl.E_PEER_FAILED_VERIFICATION:
        of_proxy = request.getinfo(pycurl.PROXY_SSL_VERIFYRESULT)
        wrong = of_proxy or request.getinfo(pycurl.SSL_VERIFYRESULT)
        if "subject name" in said:  # compared by libcurl itself, of which OpenSSL knows nothing
            wrong = OTHER_HOST
        return untrusted(wrong, _AROUND.sub("", said), "the proxy's" if of_proxy else "its")
    if code == pycurl.E_SSL_CACERT_BADFILE:
        return WorldError(
            "certificate", f"no certificates can be read: {said}; mend SSL_CERT_FILE", transient=False
        )
    if code in _NO_TLS:
        return no_tls(said)
    if code == pycurl.E_URL_MALFORMAT:
        return WorldError("unknown", "base_url is no address", transient=False)
    if code in _UNREACHED:
        return WorldError("unreachable", "no connection to the server", transient=True)
    return WorldError("connection", f"the connection broke off ({said or f'libcurl {code}'})", transient=True)
