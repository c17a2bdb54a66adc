"""Kept connections: which of them the server has left."""

import os
import socket
from contextlib import closing
from pathlib import Path

import pytest

from llmops.models.protocol.kept import Kept


@pytest.fixture
def joined():
    """A connection that was used once, as (ours, theirs, what keeps it)."""
    kept = Kept()
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as ours:
        kept.open(ours.fileno())
        ours.connect(server.getsockname())
        theirs, _ = server.accept()
        with theirs:
            assert not kept.is_left(ours.getsockname())
            yield ours, theirs, kept


def test_a_connection_is_left_when_the_server_closes_it_or_speaks_unasked(joined):
    ours, theirs, kept = joined
    assert not kept.is_left(ours.getsockname())
    theirs.send(b"HTTP/1.1 408 Request Timeout")
    assert kept.is_left(ours.getsockname())
    assert ours.recv(99), "which looking takes nothing from"
    assert not kept.is_left(ours.getsockname())
    theirs.close()
    assert kept.is_left(ours.getsockname())


def test_one_that_nobody_noted_is_not_left():
    assert not Kept().is_left(("127.0.0.1", 9))


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="the system does not tell what is open")
def test_noted_sockets_that_are_something_else_by_now_cost_nothing(joined, tmp_path):
    ours, _, kept = joined
    file = os.open(tmp_path / "file", os.O_CREAT)
    with closing(socket.socket(socket.AF_UNIX)) as other:
        before = len(os.listdir("/proc/self/fd"))
        for descriptor in (file, other.fileno(), 9999):
            kept.open(descriptor)
        assert not kept.is_left(ours.getsockname())
        assert len(os.listdir("/proc/self/fd")) == before
        os.fstat(file)
    os.close(file)
