"""The door to libcurl (``pycurl``): what it is told of an address, and what its faults are here."""

import os
import re
import ssl
from collections.abc import Iterator

import pycurl

from llmops.errors import WorldError
from llmops.models.protocol.address import NO_KEY, Address
from llmops.models.protocol.faults import OTHER_HOST, no_tls, untrusted
from llmops.models.protocol.proxy import proxy_of
from llmops.models.specs import OPENAI_URL

_UNREACHED = frozenset({
    pycurl.E_COULDNT_RESOLVE_PROXY, pycurl.E_COULDNT_RESOLVE_HOST, pycurl.E_COULDNT_CONNECT,
    pycurl.E_OPERATION_TIMEDOUT,  # of connecting: libcurl keeps no other time here
})  # fmt: skip
_NO_TLS = frozenset({pycurl.E_SSL_CONNECT_ERROR, pycurl.E_SSL_CIPHER})
_AROUND = re.compile(r"^SSL: |^.* verify result: | \(\d+\)$")
"""What libcurl puts around OpenSSL's words."""


class Left(Exception):
    """The server had closed the connection before anything was sent on it."""


def common_request(address: Address, connect_s: float) -> pycurl.Curl:
    """Return what all requests to an address have in common.

    Args:
        connect_s: seconds to reach the server; the caller keeps the time of the answer itself.

    Raises:
        UserError: the environment names a proxy that cannot be used.
    """
    blank = pycurl.Curl()
    for option, value in (
        (pycurl.HTTPHEADER, [header.encode() for header in _headers(address)]),
        (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1),
        (pycurl.CONNECTTIMEOUT_MS, max(1, round(1000 * connect_s))),
        (pycurl.TCP_KEEPALIVE, 1),
        (pycurl.NOSIGNAL, 1),
        (pycurl.PROXY, proxy_of(address) or ""),  # none: what the environment says is read already
        (pycurl.NOPROXY, ""),
        *_trusted(),
    ):
        blank.setopt(option, os.fsencode(value) if isinstance(value, str) else value)
    return blank


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


def fault_of(problem: pycurl.error, request: pycurl.Curl) -> WorldError | Left:
    """Return what a request failed of."""
    code, said = problem.args
    if code == pycurl.E_ABORTED_BY_CALLBACK:
        return Left()
    if code == pycurl.E_PEER_FAILED_VERIFICATION:
        of_proxy = request.getinfo(pycurl.PROXY_SSL_VERIFYRESULT)
        wrong = of_proxy or request.getinfo(pycurl.SSL_VERIFYRESULT)
        if "subject name" in said:  # compared by libcurl itself, of which OpenSSL knows nothing
            wrong = OTHER_HOST
        return untrusted(wrong, _AROUND.sub("", said), of_proxy=bool(of_proxy))
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
