"""Kept connections that the server has closed meanwhile, told before a request is sent on one of them.

libcurl itself looks about once a second. In between it sends on what is closed already: the request is lost,
and nobody knows whether the server has seen it.
"""

import select
import socket

End = tuple[str, int]
"""Address and port of a connection on this machine."""


class Kept:
    """The open connections of one door, by their ends on this machine."""

    def __init__(self) -> None:
        self._opened: set[int] = set()
        self._descriptors: dict[End, int] = {}
        self._fresh: set[End] = set()

    def open(self, descriptor: int) -> None:
        """Note a socket that is about to connect."""
        self._opened.add(descriptor)

    def is_left(self, end: End) -> bool:
        """Return whether the server has closed the connection, or said what nobody asked for.

        One that is used for the first time is not looked at: a server of TLS has said something then.
        """
        self._name()
        if end in self._fresh:
            self._fresh.remove(end)
            return False
        return end in self._descriptors and _can_be_read(self._descriptors[end])

    def _name(self) -> None:
        while self._opened:
            descriptor = self._opened.pop()
            if (end := _end(descriptor)) is not None:
                self._descriptors[end] = descriptor
                self._fresh.add(end)


def _end(descriptor: int) -> End | None:
    """Return a socket's end; None where it is closed again, as of several that were tried for a host."""
    try:
        opened = socket.socket(fileno=descriptor)
    except OSError:
        return None
    try:
        host, port, *_ = opened.getsockname()
        return host, port
    except (OSError, ValueError):  # something else has its number now
        return None
    finally:
        opened.detach()


def _can_be_read(descriptor: int) -> bool:
    if not hasattr(select, "poll"):  # Windows: what is lost on such a connection is asked again
        return False
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))
