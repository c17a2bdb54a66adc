"""Starts a test server in a process of its own, which ends with the block that asked for it."""

import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from tests.servers.behaviour import Behaviour, Counts

ROOT = Path(__file__).resolve().parent.parent.parent


class Server(NamedTuple):
    """A running server."""

    address: str

    @property
    def url(self) -> str:
        """What a model's ``base_url`` is to be."""
        return f"{self.address}/v1"

    def counts(self) -> Counts:
        """Return what it counted so far."""
        with urllib.request.urlopen(f"{self.address}/counts") as reply:  # noqa: S310 - loopback
            return msgspec.json.decode(reply.read(), type=Counts)


@contextmanager
def started(behaviour: Behaviour) -> Iterator[Server]:
    """Run a server that behaves so.

    ``with started(Behaviour(latency_s=0.2, faults={"500": 0.05})) as server: …``
    """
    command = [sys.executable, "-m", "tests.servers.chat", msgspec.json.encode(behaviour).decode()]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield Server(process.stdout.readline().strip())
        finally:
            process.kill()
