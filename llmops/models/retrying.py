"""Asks again after faults that may pass, and turns those that stay into the Reply's error."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from random import Random
from time import monotonic

from llmops.errors import UserError, WorldError
from llmops.models.model import Model
from llmops.records import Fault, Reply, Request

Sleep = Callable[[float], Awaitable[object]]


@dataclass(frozen=True)
class Patience:
    """How long to keep asking.

    Attributes:
        attempts: times one request is tried in all.
        total_s: seconds that one request's attempts and waits may take together.
        first_wait_s: mean-doubling start of the backoff; the n-th wait is drawn evenly from
            0 to ``first_wait_s · 2ⁿ`` ("full jitter"), at most ``longest_wait_s``.
    """

    attempts: int = 5
    total_s: float = 600.0
    first_wait_s: float = 0.5
    longest_wait_s: float = 30.0


PATIENT = Patience()


def retrying(
    model: Model,
    patience: Patience = PATIENT,
    draw: Random | None = None,
    sleep: Sleep = asyncio.sleep,
    clock: Callable[[], float] = monotonic,
) -> Model:
    """Return the model with transient faults asked again; no WorldError leaves it but what ``sleep`` raises.

    A ``Retry-After`` of the server is waited out, unless it is longer than the patience.

    Raises:
        UserError: when asked, and no server ever answered at the model's address.
    """
    draw = draw or Random()
    reached = False

    async def ask(request: Request) -> Reply:
        nonlocal reached
        gives_up_at, waits = clock() + patience.total_s, _backoff(patience, draw)
        while True:
            try:
                reply = await model.ask(request)
            except WorldError as fault:
                reached = reached or fault.kind != "unreachable"
                wait_s = next(waits, None) if fault.transient else None
                if wait_s is not None and fault.retry_after_s is not None:
                    wait_s += fault.retry_after_s
                if wait_s is None or clock() + wait_s > gives_up_at:
                    return _given_up(model, fault, reached)
                await sleep(wait_s)
            else:
                reached = True
                return reply

    return replace(model, ask=ask)


def _backoff(patience: Patience, draw: Random) -> Iterator[float]:
    for attempt in range(patience.attempts - 1):
        yield draw.uniform(0, min(patience.longest_wait_s, patience.first_wait_s * 2**attempt))


def _given_up(model: Model, fault: WorldError, reached: bool) -> Reply:
    if not reached:
        raise UserError(
            f"models.{model.name}: nothing answers at {model.identity.get('base_url')};"
            " start the server or mend base_url"
        ) from None
    return Reply(error=Fault(kind=fault.kind, message=str(fault)))
