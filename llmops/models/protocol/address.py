"""Where a server is asked, with which key."""

import base64
import json
import os
import re
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from llmops.errors import UserError, WorldError
from llmops.models.specs import OPENAI_URL, OpenAISpec

NO_KEY = "none"
LONGEST = 500
"""Characters of what a server said that are shown."""
FEWEST = 4
"""Characters of a key's beginning that tell something of it."""


class Address(NamedTuple):
    """A model at a server, to be asked and to be spoken of in errors."""

    name: str
    """In params.yaml."""
    model: str
    base_url: str
    variable: str | None
    """The environment variable of the key; None for a server that needs none."""
    key: str


def address_of(name: str, spec: OpenAISpec) -> Address:
    """Return where the model ``name`` is asked; its key comes from the environment.

    Raises:
        UserError: base_url is none of http or https or may hold a secret, or the key's variable is not set.
    """
    base_url = checked_url(name, spec.base_url)
    variable = spec.key or ("OPENAI_API_KEY" if base_url == OPENAI_URL else None)
    return Address(name, spec.model, base_url, variable, _key(name, variable))


def explained(fault: WorldError, address: Address) -> WorldError | UserError:
    """Return the fault in one line, without the key; one that meets every request is the user's to mend."""
    said = _shown(str(fault), address.key)
    where = f"models.{address.name}: {address.base_url}"
    match fault.kind:
        case "key" if address.variable is None:
            return UserError(f"{where}: wants a key ({said}); name its environment variable in `key`")
        case "key":
            return UserError(f"{where}: refuses the key in {address.variable} ({said}); set the right one")
        case "quota":
            return UserError(f"{where}: the account has no credit left ({said}); top it up")
        case "unknown":
            said = f"{where}: knows no model {address.model!r} ({said}); mend model or base_url"
        case "forbidden":
            said = f"{where}: refuses what is asked ({said}); mend the account's rights or the request"
        case "certificate":
            return UserError(f"{where}: {said}")
        case "redirected":
            return UserError(
                f"{where}: {said}, which is not followed, so that no key goes elsewhere;"
                " write the server's own address in base_url"
            )
    return WorldError(fault.kind, said, transient=fault.transient, retry_after_s=fault.retry_after_s)


def without(text: str, key: str) -> str:
    """Return what a server said without the key, also as an address or base64 has it, and cut short.

    >>> without("not sk/123456 nor sk%2F123456, but sk/12…", "sk/123456")
    'not … nor …, but …'
    """
    encoded = base64.b64encode(key.encode()).decode().rstrip("=")
    in_json = json.dumps(key)[1:-1]
    for form in (key, quote(key), quote(key, safe=""), in_json, in_json.replace("/", "\\/"), encoded):
        text = text.replace(form, "…")
    cut = (key[:length] for length in range(len(key) - 1, FEWEST - 1, -1))
    rest = next((start for start in cut if text.endswith(f"{start}…")), "")
    return text.removesuffix(f"{rest}…") + "…" if rest else text


def _shown(text: str, key: str) -> str:
    """Return the beginning of what a server said, cut after the key was taken out of all of it."""
    line = " ".join(text.split())
    said = line if key == NO_KEY else without(line, key)
    printable = "".join(sign if sign.isprintable() else "\ufffd" for sign in said[:LONGEST])
    return printable if len(said) <= LONGEST else f"{printable}…"


def checked_url(name: str, base_url: str) -> str:
    """Return the address without a slash at its end.

    Raises:
        UserError: it is none, or holds what may be a secret, which is not shown.
    """
    where = f"models.{name}: base_url"
    if "@" in base_url.partition("://")[2].partition("/")[0]:
        raise UserError(f"{where}: holds a password; name a variable in `key` instead")
    if not _is_address(base_url):
        shown = "no address" if re.search("[@?#]", base_url) else repr(base_url)
        raise UserError(f"{where}: is {shown}; must be like {OPENAI_URL!r}")
    if not (urlsplit(base_url).hostname or "").isascii():  # there is more than one way to write it so
        raise UserError(
            f"{where}: its host has letters that are not ASCII; write it as it is registered, with xn--"
        )
    if re.search("[?#]", base_url):
        raise UserError(
            f"{where}: has a query or a fragment, which may hold a key; end it before the '?' or '#',"
            " and name a key's variable in `key`"
        )
    return base_url.rstrip("/")


def in_ascii(url: str) -> str:
    """Return an address as it is sent, in whatever letters its path is written.

    >>> in_ascii("http://127.0.0.1:8000/나의 책/v1")
    'http://127.0.0.1:8000/%EB%82%98%EC%9D%98%20%EC%B1%85/v1'
    """
    parts = urlsplit(url)
    return parts._replace(path=quote(parts.path, safe="/%:@!$&'()*+,;=~")).geturl()


def _is_address(base_url: str) -> bool:
    try:
        parts = urlsplit(base_url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # of brackets that do not close, or of a port beyond 65535
        return False


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
