"""The system's certificates, read when a connection first needs them and not while aiohttp is loaded.

aiohttp reads them twice at its import, which is half of the 0.1 s that it takes to load, and a server on
``http`` needs none.
"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_read_now = ssl.SSLContext.set_default_verify_paths


class _Unread(ssl.SSLContext):
    """A context that reads the system's certificates as its first connection begins."""

    def wrap_bio(self, *given: Any, **named: Any) -> ssl.SSLObject:
        return _read(self).wrap_bio(*given, **named)

    def wrap_socket(self, *given: Any, **named: Any) -> ssl.SSLSocket:
        return _read(self).wrap_socket(*given, **named)


@contextmanager
def read_when_needed() -> Iterator[None]:
    """Have every context that is made in the block read the system's certificates when it is first used.

    A context that another thread makes meanwhile does so too, which changes nothing but the moment.
    """
    ssl.SSLContext.set_default_verify_paths = _put_off  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        ssl.SSLContext.set_default_verify_paths = _read_now  # type: ignore[method-assign]


def _put_off(context: ssl.SSLContext) -> None:
    if type(context) is ssl.SSLContext:
        context.__class__ = _Unread
    else:
        _read_now(context)


def _read(context: ssl.SSLContext) -> ssl.SSLContext:
    _read_now(context)
    context.__class__ = ssl.SSLContext  # last: who uses it meanwhile in another thread reads them too
    return context
