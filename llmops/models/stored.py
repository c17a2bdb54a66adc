"""Answers from the store what was asked before, and keeps what is new."""

from dataclasses import replace

from llmops.models.meter import Meter
from llmops.models.model import Model, request_key
from llmops.models.store import Store
from llmops.records import Reply, Request

KEPT_FAULTS = frozenset({"content_filter", "context_overflow", "empty"})
"""Refusals that lie in the request, so that asking again would only repeat them."""


def kept(reply: Reply) -> bool:
    """Return whether a reply belongs into the store: an answer, or a refusal that would only be repeated."""
    return reply.error is None or reply.error.kind in KEPT_FAULTS


def stored(model: Model, store: Store, meter: Meter) -> Model:
    """Return the model with nothing asked twice: a hit is the very Reply that was kept.

    Identical requests at the same time are asked once. Faults of the world are not kept.
    """

    async def ask(request: Request) -> Reply:
        key = request_key(model, request)
        async with store.claim(key):
            if (known := store.get(key)) is not None:
                meter.hit(known)
                return known
            reply = await model.ask(request)
            if kept(reply):
                reply = await store.put(key, model.name, reply)
            return reply

    return replace(model, ask=ask)
