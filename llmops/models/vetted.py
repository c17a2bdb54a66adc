"""Stops the run where every request must fail, and only there."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from llmops.errors import UserError
from llmops.models.model import Model
from llmops.replies import Fault, Reply, Request

MAYBE_EVERY = frozenset({"forbidden", "unknown", "unreachable"})
"""Faults that meet one request or every one: a 403 may be one prompt's, a 404 one that asks for tools."""
ANSWERED = frozenset({None, "content_filter", "context_overflow", "empty"})
"""Kinds of error that show that the model is there; None is no error."""


class Standing:
    """What a model has shown of itself in this run, whatever the prompt.

    Args:
        vouched: whether answers of this model are known from before; then it is there and answers some.
    """

    def __init__(self, vouched: Callable[[], bool] = lambda: False) -> None:
        self._vouched = vouched
        self._answered = False
        self._asking = self._doubting = 0
        self._changed = asyncio.Event()

    def enter(self) -> None:
        """Count a request that is about to be asked."""
        self._asking += 1

    def leave(self, error: Fault | None, came_back: bool) -> None:
        """Count one that ended; ``came_back`` is False for one that was cancelled or that raised."""
        self._asking -= 1
        self._answered |= came_back and (error.kind if error else None) in ANSWERED
        self._changed.set()

    async def meets_every_request(self, kind: str) -> bool:
        """Wait until another request was answered, or until none is left that could be."""
        self._doubting += 1
        self._changed.set()
        try:
            while self._doubting < self._asking and not self._good(kind):
                self._changed.clear()
                await self._changed.wait()
            return not self._good(kind)
        finally:
            self._doubting -= 1

    def _good(self, kind: str) -> bool:
        return self._answered or (kind != "unreachable" and self._vouched())


def vetted(model: Model, standing: Standing) -> Model:
    """Return the model with a fault that meets every request raised, and one of this request returned.

    Raises:
        UserError: when asked, the model has answered nothing, and all that is in flight fails likewise.
    """

    async def ask(request: Request) -> Reply:
        standing.enter()
        reply, came_back = Reply(), False
        try:
            reply = await model.ask(request)
            came_back = True
            error = reply.error
            if error and error.kind in MAYBE_EVERY and await standing.meets_every_request(error.kind):
                raise UserError(_said(model, error))
            return reply
        finally:
            standing.leave(reply.error, came_back)

    return replace(model, ask=ask)


def _said(model: Model, error: Fault) -> str:
    if error.kind == "unreachable":
        address = model.identity.get("base_url")
        return f"models.{model.name}: nothing answers at {address}; start the server or mend base_url"
    return error.message
