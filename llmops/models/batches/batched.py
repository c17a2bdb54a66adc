"""Asks a model's requests through its provider's batch endpoints, at the batch price."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace

from llmops.models.batches.askers import Askers
from llmops.models.batches.work import BatchWork
from llmops.models.meter import Meter
from llmops.models.model import Model, request_key
from llmops.models.stoppable import Stop, Stopping
from llmops.replies import Reply, Request

GATHERED_AFTER_S = 0.5
"""Seconds without another request after which what has come is sent."""
FIRST_LOOK_S = 2.0
SLOWER = 1.5
"""Growth of the wait from one look at the batches to the next."""


def batched(model: Model, gathering: "Gathering", meter: Meter) -> Model:
    """Return the model asked in batches and booked in ``meter``; several meters share one gathering."""

    async def ask(request: Request) -> Reply:
        return await gathering.ask(request_key(model, request), request, meter)

    return replace(model, ask=ask)


class Gathering:
    """One model's requests that wait for their replies, sent when no more have come for a moment.

    So all that can be asked should be asked at once. A request that an open batch holds already, be
    it from an earlier run or another process, waits for that batch.
    """

    def __init__(self, work: BatchWork, stop: Stop) -> None:
        self._todo, self._stop, self._askers = work, stop, Askers()
        self._working: asyncio.Task[None] | None = None

    async def ask(self, key: str, request: Request, meter: Meter) -> Reply:
        """Return the reply that the request's batch brings.

        Raises:
            WorldError: the request's own fault, or that of sending it.
            BudgetSpent: the budget does not reach for it.
            UserError: what the user can mend.
            Stopping: the run is to stop; what was sent goes on at the provider.
        """
        if self._stop.asked:
            raise Stopping
        asker = self._askers.add(key, request, meter)
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work(meter))
        self._stop.in_flight += 1
        try:
            return await asker.reply
        finally:
            self._stop.in_flight -= 1
            self._askers.leave(key, asker)
            if not self._askers.waiting:
                self._working.cancel()

    async def _work(self, meter: Meter) -> None:
        stopping = asyncio.create_task(self._fail_on_stop())
        try:
            await self._until_all_have_replies(meter)
        except asyncio.CancelledError:
            self._todo.tell_what_goes_on()
            raise
        except Exception as problem:  # raised where it is awaited
            self._askers.fail(self._askers.waiting, problem)
        finally:
            stopping.cancel()

    async def _fail_on_stop(self) -> None:
        await self._stop.wait()
        self._askers.fail(self._askers.waiting, Stopping())

    async def _until_all_have_replies(self, meter: Meter) -> None:
        waits = self._waits()
        while self._askers.waiting:
            if self._askers.unsent:
                await self._gather()
                await self._todo.send(self._askers)
                waits = self._waits()
            await self._todo.look(self._askers, meter)
            if self._askers.waiting and not self._askers.unsent:
                await self._askers.more_within(next(waits))

    async def _gather(self) -> None:
        enough = self._todo.batches.max_requests
        while len(self._askers.unsent) < enough and await self._askers.more_within(GATHERED_AFTER_S):
            pass

    def _waits(self) -> Iterator[float]:
        longest_s = self._todo.batches.poll_s
        wait_s = min(FIRST_LOOK_S, longest_s)
        while True:
            yield wait_s
            wait_s = min(wait_s * SLOWER, longest_s)
