"""The event loop that asks: in which order what arrives is worked off."""

import asyncio
import socket
from contextlib import contextmanager

import pytest

from llmops import event_loop


@contextmanager
def joined():
    """Two sockets, of which one hears the other."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        yield ours, theirs


def worked_off(run):
    """Return who worked, round by round, where the second is heard while the first is at work."""
    order = []

    async def main():
        loop = asyncio.get_running_loop()
        with joined() as (first, to_first), joined() as (second, to_second):

            async def work(name, own):
                await loop.sock_recv(own, 1)
                to_second.send(b"x")
                for _ in range(5):
                    order.append(name)
                    await asyncio.sleep(0)

            working = [asyncio.create_task(work("first", first)), asyncio.create_task(work("second", second))]
            await asyncio.sleep(0.01)
            to_first.send(b"x")
            await asyncio.gather(*working)

    run(main())
    return order


def test_what_has_begun_is_finished_before_the_next_is_taken():
    assert worked_off(event_loop.run) == ["first"] * 5 + ["second"] * 5
    assert worked_off(asyncio.run) != ["first"] * 5 + ["second"] * 5, "or the loop need not be one's own"


async def heard_beside(busy):
    """Return what a socket hears while something else never ends."""
    loop = asyncio.get_running_loop()
    with joined() as (ours, theirs):
        ending = asyncio.create_task(busy())
        loop.call_later(0.01, theirs.send, b"x")
        async with asyncio.timeout(5):
            heard = await loop.sock_recv(ours, 1)
        ending.cancel()
        return heard


async def spinning():
    while True:
        await asyncio.sleep(0)


async def readable():
    """Keep a socket that can always be read."""
    loop = asyncio.get_running_loop()
    with joined() as (ours, theirs):
        theirs.send(b"never read")
        loop.add_reader(ours, lambda: None)
        try:
            await asyncio.Event().wait()
        finally:
            loop.remove_reader(ours)


@pytest.mark.parametrize("busy", [spinning, readable])
def test_what_never_ends_keeps_nobody_from_being_heard(busy):
    assert event_loop.run(heard_beside(busy)) == b"x"


def test_the_end_and_an_error_are_those_of_the_usual_loop():
    async def failing():
        await asyncio.sleep(0)
        raise KeyError("x")

    with pytest.raises(KeyError):
        event_loop.run(failing())
    assert event_loop.run(asyncio.sleep(0.001, "end")) == "end"
