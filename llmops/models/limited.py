"""Lets through so many requests at once, and so many a minute."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from time import monotonic

from llmops.models.model import Model
from llmops.records import Reply, Request

SECONDS_PER_MINUTE = 60.0


def limited(
    model: Model,
    concurrency: int,
    requests_per_min: float | None = None,
    clock: Callable[[], float] = monotonic,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> Model:
    """Return the model with at most ``concurrency`` requests in flight.

    Args:
        concurrency: the stage's limit; the model's own goes before it when it is lower.
        requests_per_min: starts are spaced evenly, so that a minute's share is never sent at once.
    """
    lanes = asyncio.Semaphore(min(concurrency, model.concurrency or concurrency))
    spacing_s = SECONDS_PER_MINUTE / requests_per_min if requests_per_min else 0.0
    next_at = 0.0

    async def ask(request: Request) -> Reply:
        nonlocal next_at
        async with lanes:
            if spacing_s:
                start_at = max(clock(), next_at)
                next_at = start_at + spacing_s
                await sleep(max(0.0, start_at - clock()))
            return await model.ask(request)

    return replace(model, ask=ask)
