"""One Example asked through a model: the task's generator driven to its answer."""

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, TypeVar

from llmops.records import Fault, Reply, Request, Turn
from llmops.tasks.asking import Asking

Number = TypeVar("Number", int, float)


class Answered(NamedTuple):
    """What came of it: the answer or the fault, and every turn that led there."""

    answer: str | None
    turns: list[Turn]
    error: Fault | None


async def answered(asking: Asking, request: Request, ask: Callable[[Request], Awaitable[Reply]]) -> Answered:
    """Send the task's first Request, then those it yields until it returns its answer or one has none."""
    turns: list[Turn] = []
    try:
        while True:
            reply = await ask(request)
            turns.append(Turn(messages=request.messages, reply=reply))
            if reply.error is not None:
                return Answered(None, turns, reply.error)
            request = asking.send(reply)
    except StopIteration as done:
        return Answered(done.value, turns, None)


def answered_at_once(asking: Asking, request: Request, reply: Reply) -> Answered | None:
    """Return the answer that the first Request's Reply leads to, None when the task asks on."""
    turns = [Turn(messages=request.messages, reply=reply)]
    if reply.error is not None:
        return Answered(None, turns, reply.error)
    try:
        asking.send(reply)
    except StopIteration as done:
        return Answered(done.value, turns, None)
    return None


def summed(values: Sequence[Number | None]) -> Number | None:
    """Return the sum over turns, None when any turn's part is not known."""
    known = [value for value in values if value is not None]
    return sum(known) if values and len(known) == len(values) else None
