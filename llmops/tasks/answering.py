"""One Example asked through a model: the task's generator driven to its answer."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from llmops.models.budget import BudgetSpent
from llmops.records import BUDGET
from llmops.replies import Fault, Reply, Request, Turn
from llmops.tasks.asking import Asking


class Answered(NamedTuple):
    """What came of it: the answer or the fault, and every turn that led there."""

    answer: str | None
    turns: list[Turn]
    error: Fault | None


async def answered(asking: Asking, request: Request, ask: Callable[[Request], Awaitable[Reply]]) -> Answered:
    """Send the task's first Request, then those it yields until it returns its answer or one has none.

    Where the budget does not reach for the next request, that is the fault, and the turns before it stay.
    """
    turns: list[Turn] = []
    try:
        while True:
            reply = await ask(request)
            turns.append(Turn(messages=request.messages, reply=reply))
            if reply.error is not None:
                return Answered(None, turns, reply.error)
            request = asking.send(reply)
    except BudgetSpent as spent:
        return Answered(None, turns, Fault(kind=BUDGET, message=str(spent)))
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


def next_request(asking: Asking, reply: Reply) -> Request | None:
    """Return what the task asks after a reply, None where that is the last."""
    if reply.error is not None:
        return None
    try:
        return asking.send(reply)
    except StopIteration:
        return None
