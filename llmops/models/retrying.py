"""Asks again after faults that may pass, and turns those that stay into the Reply's error."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf
from random import Random
from time import monotonic

import msgspec

from llmops.errors import WorldError
from llmops.models.limits.admission import MOST_DOUBLED
from llmops.models.limits.deadline import TooLate, begun_by
from llmops.models.metered import UNBILLED
from llmops.models.model import Model
from llmops.replies import Fault, Reply, Request

Sleep = Callable[[float], Awaitable[object]]


@dataclass(frozen=True)
class Patience:
    """How long to keep asking.

    Attributes:
        attempts: times one request is tried in all.
        total_s: seconds after its first fault in which one request is begun again; waiting for its
            turn then counts. Waiting for its first turn is no one's fault and does not.
        first_wait_s: start of the backoff; the n-th wait is drawn evenly from 0 to
            ``first_wait_s · 2ⁿ``, at most ``longest_wait_s`` ("full jitter", Brooker 2015), so that
            those that failed together do not come back together.
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
    """
    draw = draw or Random()

    async def ask(request: Request) -> Reply:
        waits, faults, gives_up_at = _backoff(patience, draw), list[WorldError](), inf
        while True:
            try:
                with begun_by(gives_up_at):
                    return await model.ask(request)
            except TooLate:
                return _given_up(faults)
            except WorldError as fault:
                faults.append(fault)
            if len(faults) == 1:
                gives_up_at = clock() + patience.total_s
            wait_s = _wait_s(faults[-1], waits)
            if wait_s is None or clock() + wait_s > gives_up_at:
                return _given_up(faults)
            await sleep(wait_s)

    return replace(model, ask=ask)


def _given_up(faults: Sequence[WorldError]) -> Reply:
    return failed(faults[-1], all(map(unbilled, faults)))


def _wait_s(fault: WorldError, waits: Iterator[float]) -> float | None:
    """Return the seconds until the request may be tried again, None where it may not."""
    wait_s = next(waits, None) if fault.transient else None
    return None if wait_s is None else wait_s + (fault.retry_after_s or 0.0)


def unbilled(fault: WorldError) -> bool:
    """Return whether nothing is owed for the attempt that met the fault, for sure."""
    return fault.billed is False or not fault.sent or (fault.billed is None and fault.kind in UNBILLED)


def failed(fault: WorldError, owes_nothing: bool) -> Reply:
    """Return the Reply that the fault is, which took no tokens and costs nothing where nothing is owed."""
    reply = Reply(error=Fault(kind=fault.kind, message=str(fault)))
    return (
        msgspec.structs.replace(reply, input_tokens=0, output_tokens=0, cost_usd=0.0)
        if owes_nothing
        else reply
    )


def _backoff(patience: Patience, draw: Random) -> Iterator[float]:
    for attempt in range(patience.attempts - 1):
        yield draw.uniform(
            0, min(patience.longest_wait_s, patience.first_wait_s * 2.0 ** min(attempt, MOST_DOUBLED))
        )
