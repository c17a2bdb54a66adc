"""Puts on each Reply when it was asked and how long it took."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic

import msgspec

from llmops.models.model import Model
from llmops.replies import Reply, Request


def _now() -> datetime:
    return datetime.now(UTC)


def timed(model: Model, clock: Callable[[], float] = monotonic, now: Callable[[], datetime] = _now) -> Model:
    """Return the model with ``asked_at`` and ``latency_s`` on its replies.

    Innermost, so that neither waiting for a turn nor failed attempts count as latency.
    """

    async def ask(request: Request) -> Reply:
        asked_at, started = now().isoformat(timespec="milliseconds"), clock()
        reply = await model.ask(request)
        return msgspec.structs.replace(reply, asked_at=asked_at, latency_s=round(clock() - started, 6))

    return replace(model, ask=ask)
