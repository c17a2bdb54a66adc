"""Puts on each Reply when it was asked and how long it took."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic
from typing import ParamSpec

import msgspec

from llmops.models.model import Model
from llmops.replies import Reply, Request

P = ParamSpec("P")


def _now() -> datetime:
    return datetime.now(UTC)


def timed(model: Model, clock: Callable[[], float] = monotonic, now: Callable[[], datetime] = _now) -> Model:
    """Return the model with ``asked_at`` and ``latency_s`` on its replies.

    Innermost, so that neither waiting for a turn nor failed attempts count as latency. What the model
    itself tells goes first: in this process it knows better (``clocked``).
    """

    async def ask(request: Request) -> Reply:
        asked_at, started = now().isoformat(timespec="milliseconds"), clock()
        reply = await model.ask(request)
        taken = round(clock() - started, 6) if reply.latency_s is None else reply.latency_s
        return msgspec.structs.replace(reply, asked_at=asked_at, latency_s=taken)

    return replace(model, ask=ask)


def clocked(work: Callable[P, Reply], *given: P.args, **named: P.kwargs) -> Reply:
    """Return the reply that work in a thread makes, with the seconds that it took there as ``latency_s``.

    Seen from the event loop it takes longer, by all that the loop does meanwhile.
    """
    started = monotonic()
    reply = work(*given, **named)
    return msgspec.structs.replace(reply, latency_s=round(monotonic() - started, 6))
