"""Kept connections that the server has closed meanwhile, told before a request is sent on one of them.

libcurl itself looks about once a second. In between it sends on what is closed already: the request is lost,
and nobody knows whether the server has seen it.
"""

import os
import select
import socket


class Kept:
    """The open connections of one door, by their port on this machine."""

    def __init__(self) -> None:
        self._opened: list[int] = []
        self._descriptors: dict[int, int] = {}
        self._fresh: set[int] = set()

    def open(self, descriptor: int) -> None:
        """Note a socket that is about to connect."""
        self._opened.append(descriptor)

    def is_left(self, port: int) -> bool:
        """Return whether the server has closed the connection with this port, or said what nobody asked for.

        One that is used for the first time is not looked at: a server of TLS has said something then.
        """
        self._name()
        if port in self._fresh:
            self._fresh.remove(port)
            return False
        return port in self._descriptors and _can_be_read(self._descriptors[port])

    def _name(self) -> None:
        while self._opened:
            descriptor = self._opened.pop()
            try:
                with socket.socket(fileno=os.dup(descriptor)) as opened:
                    port = opened.getsockname()[1]
            except OSError:  # one of several that were tried for a host, closed again
                continue
            self._descriptors[port] = descriptor
            self._fresh.add(port)


def _can_be_read(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))
