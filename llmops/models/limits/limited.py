"""Lets requests through as the settings, the server's word and its faults allow."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from time import monotonic

from llmops.errors import WorldError
from llmops.models.limits.admission import Admission, Rates, Ticket
from llmops.models.limits.deadline import check_begun_by
from llmops.models.limits.expected import Expected
from llmops.models.model import Model
from llmops.replies import Reply, Request

UNLIMITED = Rates()
LOOK_AGAIN_S = 1.0
"""Longest sleep of who is next, as what is waited for may change meanwhile."""


def limited(
    model: Model,
    concurrency: int,
    rates: Rates = UNLIMITED,
    clock: Callable[[], float] = monotonic,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> Model:
    """Return the model with at most ``concurrency`` requests in flight, in the order that they came.

    How many there are below that, and how fast they follow each other: ``admission``. What was to be
    begun by a time (``begun_by``) and did not get its turn until then is a ``TooLate``.

    Args:
        concurrency: the stage's limit; the model's own goes before it when it is lower.
    """
    admission = Admission(min(concurrency, model.concurrency or concurrency), rates, clock())
    expected = Expected(model)
    first_in_line, ended = asyncio.Lock(), asyncio.Event()

    async def turn(request: Request) -> Ticket:
        async with first_in_line:
            tokens = expected.tokens(request)
            check_begun_by(clock())
            while (wait_s := admission.wait_s(clock(), tokens)) != 0:
                if wait_s is None:
                    ended.clear()
                    await ended.wait()
                else:
                    await sleep(min(wait_s, LOOK_AGAIN_S))
                check_begun_by(clock())
            return admission.start(clock(), tokens)

    async def ask(request: Request) -> Reply:
        await model.ready()
        ticket = await turn(request)
        try:
            reply = await model.ask(request)
            expected.learn(reply)
            admission.answered(ticket, clock(), reply)
            return reply
        except WorldError as fault:
            admission.failed(ticket, clock(), fault)
            raise
        finally:
            admission.heard(ticket, clock(), model.told.taken())
            admission.lanes.end()
            ended.set()

    return replace(model, ask=ask)
