"""The money of requests in batches: reserved before they are sent, booked when they are collected."""

from msgspec.structs import replace

from llmops.models.batch_rows import Row
from llmops.models.meter import Meter
from llmops.models.metered import Cost, foreseer
from llmops.models.model import Model
from llmops.records import Reply, Request

TIER = "batch"
"""``service_tier`` of an answer that came in a batch, which its price depends on."""


class Ledger:
    """What the requests of one model are owed.

    What one run sent and another collects is booked once, by the one that collects it.
    """

    def __init__(self, model: Model, cost: Cost) -> None:
        self._cost, self._foresee = cost, foreseer(model, cost)
        self._reserved: dict[str, float] = {}

    async def reserve(self, key: str, request: Request, meter: Meter) -> None:
        """Set aside the request's dearest outcome, once.

        Raises:
            BudgetSpent: the budget does not reach for it.
            UserError: the budget limits dollars that cannot be foreseen.
        """
        if key not in self._reserved:
            usd = self._foresee(request) if meter.budget.limit_usd is not None else 0.0
            await meter.budget.reserve(usd, waits=False)
            self._reserved[key] = usd

    async def release(self, key: str, meter: Meter) -> None:
        """Take back what was set aside for a request that was not sent."""
        if (usd := self._reserved.pop(key, None)) is not None:
            await meter.budget.settle(usd, 0.0)

    def priced(self, row: Row, asked_at: str | None) -> Row:
        """Return the row with what its reply cost; how long it took is not known."""
        if not isinstance(row.outcome, Reply):
            return row
        reply = replace(row.outcome, asked_at=asked_at, service_tier=TIER)
        return row._replace(outcome=replace(reply, cost_usd=self._cost(reply)))

    async def book(self, row: Row, meter: Meter) -> None:
        """Put what a collected request cost in the place of what was set aside for it."""
        reply = row.outcome if isinstance(row.outcome, Reply) else None
        owed = (reply.cost_usd if reply else None) if row.billed is not False else 0.0
        reserved = self._reserved.pop(row.key, None)
        if reserved is not None:
            await meter.budget.settle(reserved, owed)
        else:  # sent by an earlier run
            meter.budget.spent_usd += owed or 0.0
        meter.book(reply, owed)
