"""A server's error, in whatever shape it comes, as the fault it is."""

import json
import re
import ssl
from collections.abc import Mapping
from typing import Any

from llmops.errors import WorldError

TRANSIENT_STATUS = frozenset({408, 409, 425, 429})
"""Statuses below 500 after which asking again may help."""

_OVERFLOW = re.compile(
    r"context[ _]?(length|size|window|limit)|exceed_context|maximum (context|model length|prompt length)"
    r"|(prompt|input) is too long|too many tokens|exceeds the maximum number of (input )?tokens"
    r"|max_new_tokens.? must be <=",
    re.I,
)
_FILTER = re.compile(r"content[ _]?(filter|policy|management)|ResponsibleAIPolicyViolation", re.I)
OTHER_HOST = 62
"""X509_V_ERR_HOSTNAME_MISMATCH."""
_OTHER_NAME = "write the name that the certificate is for in base_url"
_MENDS = {
    9: "set this machine's clock", 10: "the server's has to be renewed, or this machine's clock set",
    OTHER_HOST: _OTHER_NAME, 64: _OTHER_NAME,
}  # fmt: skip
"""OpenSSL's X509_V_ERR_… → what mends it: not yet valid, expired, for another host, for another address."""
_NO_SUCH_PATH = re.compile(r"(unexpected|unknown|no such) (endpoint|path|route|url)", re.I)


def read_error(status: int, body: Any) -> WorldError:
    """Return the WorldError that a server's error is, whatever shape its body has.

    Args:
        status: the HTTP status; 200 when the error came in a reply that claims success.
        body: the decoded JSON, or the text when it is none.
    """
    try:
        code, message = _told(body)
    except RecursionError:
        code, message = "", "an error that is nested too deeply"
    number = code.partition(" ")[0]
    if status == 200 and number.isdigit():
        status = int(number)
    said = f"{code} {message}"
    if status != 429 and _OVERFLOW.search(said):
        return WorldError("context_overflow", message, transient=False)
    if status < 500 and _FILTER.search(said):
        return WorldError("content_filter", message, transient=False)
    if status == 402 or (status == 429 and "insufficient_quota" in said):
        return WorldError("quota", message, transient=False)
    if status == 200 and _NO_SUCH_PATH.search(said):
        return WorldError("unknown", message, transient=False)
    kind, transient = _kind_of(status)
    return WorldError(kind, f"HTTP {status}: {message}", transient=transient)


def untrusted(code: int, reason: str, of_proxy: bool = False) -> WorldError:
    """Return the fault that the certificate of a server, or of the proxy before it, is not trusted.

    Args:
        code: OpenSSL's X509_V_ERR_….
        reason: in words.
    """
    mend = _MENDS.get(code, "name its authority's file in SSL_CERT_FILE")
    if of_proxy:
        mend = mend.replace("base_url", "the proxy's variable")
    whose = "the proxy's" if of_proxy else "its"
    told = f"{whose} TLS certificate is not trusted ({reason.rstrip('.')}); {mend}"
    return WorldError("certificate", told, transient=False)


def no_tls(reason: str) -> WorldError:
    """Return the fault that a server does not speak TLS."""
    told = f"no TLS connection to the server ({reason}); it may speak http"
    return WorldError("unreachable", told, transient=True)


def tls_fault(problem: ssl.SSLError) -> WorldError:
    """Return what went wrong with a server's certificate, or with TLS itself."""
    if isinstance(problem, ssl.SSLCertVerificationError):
        return untrusted(problem.verify_code, problem.verify_message)
    return no_tls(problem.reason)


def _kind_of(status: int) -> tuple[str, bool]:
    if status == 429:
        return "rate_limited", True
    if status == 408:
        return "timeout", True
    if status in {503, 529}:
        return "overloaded", True
    if status >= 500 or status in TRANSIENT_STATUS or status < 400:
        return "server_error", True
    return {401: "key", 403: "forbidden", 404: "unknown"}.get(status, "refused"), False


def _told(body: Any) -> tuple[str, str]:
    """Return (codes, message) of ``{"error": {…}}``, ``{"error": "…"}``, ``{"detail": …}``, ``[…]``, text."""
    inner = body[0] if isinstance(body, list) and len(body) == 1 else body
    if isinstance(inner, Mapping):
        inner = next((inner[key] for key in ("error", "detail") if inner.get(key)), inner)
    if isinstance(inner, Mapping):
        words = [str(inner[key]) for key in ("code", "type") if inner.get(key) is not None]
        if isinstance(inner.get("innererror"), Mapping):
            words.append(str(inner["innererror"].get("code")))
        message = inner.get("message") or json.dumps(inner, ensure_ascii=False)
        return " ".join(words), _line(message)
    return "", _line(inner if isinstance(inner, str) else json.dumps(inner, ensure_ascii=False))


def _line(message: Any) -> str:
    """Return the whole message in one line: a key in it is found only where it is not cut."""
    return " ".join(str(message).split())
