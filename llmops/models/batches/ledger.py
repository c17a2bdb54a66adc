"""The money of requests in batches: reserved before they are sent, booked when they are collected."""

from msgspec.structs import replace

from llmops.errors import WorldError
from llmops.models.batches.rows import Row
from llmops.models.budget import Allowance, AtMost, Budget, Reservation
from llmops.models.meter import Meter
from llmops.models.metered import foreseer, owed_tokens
from llmops.models.model import Model
from llmops.models.retrying import unbilled
from llmops.prices import BATCH, Cost
from llmops.replies import Reply, Request


class Ledger:
    """What the requests of one model take.

    What one run sent and another collects is booked once, by the one that collects it.
    """

    def __init__(self, model: Model, cost: Cost, allowance: Allowance) -> None:
        self._model, self._cost = model.name, cost
        self._foresee = foreseer(model, cost, allowance)
        self._reserved: dict[str, Reservation] = {}

    async def reserve(self, key: str, request: Request, budget: Budget) -> None:
        """Set aside the request's dearest outcome, once; nothing in flight is waited for.

        Raises:
            BudgetSpent: the budget does not reach for it.
        """
        if key not in self._reserved:
            at_most = self._foresee(request)
            self._reserved[key] = await budget.reserve(at_most, self._model, waits=False)

    def owe(self, key: str, request: Request, budget: Budget) -> None:
        """Set aside the dearest outcome of a request that an open batch holds already, once."""
        if key not in self._reserved:
            self._reserved[key] = budget.owe(self._foresee(request))

    def release(self, key: str, budget: Budget, *, sent: bool) -> None:
        """Take back what was set aside for a request that owes nothing here.

        Args:
            sent: False for one that never left, which is no call.
        """
        if (reservation := self._reserved.pop(key, None)) is not None:
            budget.settle(reservation, 0.0, 0, sent=sent)

    def priced(self, row: Row, asked_at: str | None) -> Row:
        """Return the row with what its reply or its fault cost; how long it took is not known."""
        if isinstance(row.outcome, WorldError):
            row.outcome.billed = row.billed
        if not isinstance(row.outcome, Reply):
            return row
        reply = replace(row.outcome, asked_at=asked_at, service_tier=BATCH)
        return row._replace(outcome=replace(reply, cost_usd=self._cost(reply)))

    def book(self, row: Row, meter: Meter, request: Request | None) -> None:
        """Put what a collected request took in the place of what was set aside, where it is known.

        Args:
            request: what was asked; None where nobody knows it any more, so that its dearest outcome
                is not known either.
        """
        reply = row.outcome if isinstance(row.outcome, Reply) else None
        owed, tokens = (reply.cost_usd, owed_tokens(reply)) if reply else (None, None)
        if row.billed is False or (isinstance(row.outcome, WorldError) and unbilled(row.outcome)):
            owed, tokens = 0.0, 0
        reservation = self._reserved.pop(row.key, None)
        if reservation is None:  # sent by an earlier run, and asked for by nobody now
            reservation = meter.budget.owe(self._foresee(request) if request else AtMost())
        meter.budget.settle(reservation, owed, tokens)
        meter.book(reply, owed)
