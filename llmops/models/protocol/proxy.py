"""The proxy that the environment names for a server."""

import os
import sys
from urllib.parse import urlsplit

from llmops.errors import UserError
from llmops.models.protocol.address import Address

SYSTEM_WIDE = frozenset({"darwin", "win32"})
"""Platforms whose settings may name a proxy where the environment does not."""


def proxy_of(address: Address) -> str | None:
    """Return the address of the proxy for a server, None where it is asked directly.

    ``HTTPS_PROXY`` or ``HTTP_PROXY``, by the server's scheme, go before ``ALL_PROXY``, and ``NO_PROXY``
    before both, in small letters too. It is not left to the clients, which each read them otherwise, and
    would look them up in a thread for every request and send what a ``.netrc`` holds for the host.

    Raises:
        UserError: it is none of http or https, such as a socks proxy; it is not shown, for its password.
    """
    if sys.platform not in SYSTEM_WIDE and not any(name.lower().endswith("_proxy") for name in os.environ):
        return None
    from urllib.request import getproxies, proxy_bypass  # which take 7 ms to load

    goal, named = urlsplit(address.base_url), getproxies()
    proxy = named.get(goal.scheme) or named.get("all")
    if not proxy or proxy_bypass(goal.hostname or ""):
        return None
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    if urlsplit(proxy).scheme.lower() not in {"http", "https"}:
        raise UserError(
            f"models.{address.name}: the environment names a proxy that is none of http or https; set"
            f" {goal.scheme.upper()}_PROXY to one that is, or add {goal.hostname} to NO_PROXY"
        )
    return proxy
