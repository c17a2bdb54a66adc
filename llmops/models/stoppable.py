"""Lets what is on the wire finish, but nothing more go out, once a run is to stop."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from llmops.errors import WorldError
from llmops.models.model import Model
from llmops.replies import Reply, Request

STOPPED = "stopped"
"""The kind of fault of what was not sent any more."""


class Stopping(WorldError):
    """The run is to stop: the request was not sent, so that nothing is owed for it."""

    def __init__(self) -> None:
        super().__init__(STOPPED, "not asked: the run was stopped", transient=False, sent=False)


class Stop:
    """Whether a run is to stop, and what it has on the wire just now."""

    def __init__(self) -> None:
        self._asked = asyncio.Event()
        self._then = list[Callable[[], None]]()
        self.in_flight = 0

    @property
    def asked(self) -> bool:
        """Whether the run is to stop."""
        return self._asked.is_set()

    def ask(self) -> None:
        """Have the run stop."""
        self._asked.set()
        for act in self._then:
            act()

    def then(self, act: Callable[[], None]) -> None:
        """Have something done when the run is to stop."""
        self._then.append(act)

    async def wait(self) -> None:
        """Wait until the run is to stop."""
        await self._asked.wait()

    async def sleep(self, seconds: float) -> None:
        """Sleep, which ends when the run is to stop.

        Raises:
            Stopping: the run is to stop.
        """
        try:
            async with asyncio.timeout(seconds):
                await self._asked.wait()
        except TimeoutError:
            return
        raise Stopping


def stoppable(model: Model, stop: Stop) -> Model:
    """Return the model that sends nothing once the run is to stop; innermost, next to the wire.

    Raises:
        Stopping: when asked, and the run is to stop.
    """

    async def ask(request: Request) -> Reply:
        if stop.asked:
            raise Stopping
        stop.in_flight += 1
        try:
            return await model.ask(request)
        finally:
            stop.in_flight -= 1

    return replace(model, ask=ask)
