"""The event loop that asks: in which order what arrives is worked off."""

import asyncio
import socket
from itertools import pairwise

import pytest

from llmops import event_loop


def worked_off(run, arrivals, rounds=4):
    """Return who worked, round by round, where all of them find something at once and need some rounds."""
    order = []

    async def work(number, own):
        loop = asyncio.get_running_loop()
        await loop.sock_recv(own, 1)
        for _ in range(rounds):
            order.append(number)
            await asyncio.sleep(0)

    async def main():
        pairs = [socket.socketpair() for _ in range(arrivals)]
        for own, _ in pairs:
            own.setblocking(False)
        working = [asyncio.create_task(work(number, own)) for number, (own, _) in enumerate(pairs)]
        await asyncio.sleep(0.02)
        for _, other in pairs:
            other.send(b"x")
        await asyncio.gather(*working)
        for own, other in pairs:
            own.close()
            other.close()

    run(main())
    return order


def changes(order):
    return sum(before != after for before, after in pairwise(order))


def test_one_that_arrived_is_finished_before_the_next_is_taken():
    assert changes(worked_off(event_loop.run, arrivals=6)) == 5
    assert changes(worked_off(asyncio.run, arrivals=6)) == 23, "or the loop need not be one's own"


def test_of_many_that_arrived_some_are_taken_at_once():
    first = worked_off(event_loop.run, arrivals=32)[:10]
    assert len(set(first)) == 1 + 32 // event_loop.SHARE


@pytest.mark.parametrize("waits_s", [0, 0.001])
def test_what_is_never_finished_keeps_nobody_from_being_heard(waits_s):
    async def main():
        async def spin():
            while True:
                await asyncio.sleep(0)

        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        spinning = asyncio.create_task(spin())
        asyncio.get_running_loop().call_later(waits_s, theirs.send, b"x")
        async with asyncio.timeout(5):
            heard = await asyncio.get_running_loop().sock_recv(ours, 1)
        spinning.cancel()
        ours.close()
        theirs.close()
        return heard

    assert event_loop.run(main()) == b"x"


def test_the_end_and_an_error_are_those_of_the_usual_loop():
    async def failing():
        await asyncio.sleep(0)
        raise KeyError("x")

    with pytest.raises(KeyError):
        event_loop.run(failing())
    assert event_loop.run(asyncio.sleep(0.001, "end")) == "end"
