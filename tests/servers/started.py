"""Starts a test server in a process of its own, which ends with the block that asked for it."""

import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from tests.servers.batches import BatchBehaviour, BatchCounts
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
        return msgspec.json.decode(self._counted(), type=Counts)

    def batch_counts(self) -> BatchCounts:
        """Return what a batch server counted so far."""
        return msgspec.json.decode(self._counted(), type=BatchCounts)

    def go_on(self) -> None:
        """Let a batch server's batches that stood still move on."""
        urllib.request.urlopen(f"{self.address}/go_on", data=b"").close()  # noqa: S310 - loopback

    def _counted(self) -> bytes:
        with urllib.request.urlopen(f"{self.address}/counts") as reply:  # noqa: S310 - loopback
            counted: bytes = reply.read()
        return counted


@contextmanager
def started(behaviour: Behaviour | BatchBehaviour) -> Iterator[Server]:
    """Run a server that behaves so.

    ``with started(Behaviour(latency_s=0.2, faults={"500": 0.05})) as server: …``
    """
    module = "tests.servers.batches" if isinstance(behaviour, BatchBehaviour) else "tests.servers.chat"
    command = [sys.executable, "-m", module, msgspec.json.encode(behaviour).decode()]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield Server(process.stdout.readline().strip())
        finally:
            process.kill()
