"""Answers from the store what was asked before, and keeps what is new."""

import asyncio
from dataclasses import replace

from llmops.models.meter import Meter
from llmops.models.model import Model, key_of, request_text
from llmops.models.store.claims import Sleep
from llmops.models.store.rows import Unkeepable
from llmops.models.store.store import Store
from llmops.replies import Fault, Reply, Request

KEPT_FAULTS = frozenset({"content_filter", "context_overflow", "empty"})
"""Refusals that lie in the request, so that asking again would only repeat them."""


def kept(reply: Reply) -> bool:
    """Return whether a reply belongs into the store: an answer, or a refusal that would only be repeated."""
    return reply.error is None or reply.error.kind in KEPT_FAULTS


def stored(model: Model, store: Store, meter: Meter, sleep: Sleep = asyncio.sleep) -> Model:
    """Return the model with nothing asked twice: a hit is the very Reply that was kept.

    Identical requests at the same time are asked once, those of other processes included. Faults of
    the world are not kept. Of a model that is asked in batches other processes' requests are no
    matter here: they are found in its open batches.

    Args:
        sleep: what waits for other processes; what it raises, the model raises.
    """
    everywhere = model.batches is None

    async def ask(request: Request) -> Reply:
        text = request_text(model, request)
        key = key_of(text)
        async with store.claim(key, everywhere, sleep):
            if (known := store.get(key)) is None:
                return await _asked(model, store, key, text, request)
        meter.hit(known)
        return known

    return replace(model, ask=ask)


async def _asked(model: Model, store: Store, key: str, text: str, request: Request) -> Reply:
    reply = await model.ask(request)
    if not kept(reply):
        return reply
    try:
        return await store.put(key, model.name, reply, text)
    except Unkeepable as problem:
        fault = Fault(kind="bad_reply", message=f"the reply cannot be kept ({problem})")
        return Reply(error=fault, latency_s=reply.latency_s, cost_usd=reply.cost_usd, asked_at=reply.asked_at)
