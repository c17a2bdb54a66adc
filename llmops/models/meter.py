"""The ledger of one run: what was asked and paid, and what may still be."""

import asyncio
from typing import TypeVar

from llmops.records import Reply, Spend

Number = TypeVar("Number", int, float)


class BudgetSpent(Exception):
    """The next request could go over the budget: a run stops here, and what it has stays good."""


class Budget:
    """What one run may spend, shared by all of its meters.

    Args:
        limit_usd: US dollars; None for no limit.
        max_calls: requests that may reach a model, retries included; None for no limit.
    """

    def __init__(self, limit_usd: float | None = None, max_calls: int | None = None) -> None:
        self.limit_usd, self.max_calls = limit_usd, max_calls
        self.spent_usd = 0.0
        """Known costs, and the reservations of attempts whose cost stayed unknown."""
        self.calls = 0
        self._reserved_usd = 0.0
        self._in_flight = 0
        self._settled = asyncio.Condition()

    async def reserve(self, usd: float, waits: bool = True) -> None:
        """Set aside what a request can cost, waiting for those in flight when it does not fit yet.

        Args:
            waits: False where those in flight may take a day.

        Raises:
            BudgetSpent: it does not fit, and nothing is waited for that could come out cheaper.
        """
        async with self._settled:
            while (full := self._full(usd)) is not None:
                if self._in_flight == 0 or not waits:
                    raise BudgetSpent(full)
                await self._settled.wait()
            self._reserved_usd += usd
            self._in_flight += 1
            self.calls += 1

    async def settle(self, reserved_usd: float, owed_usd: float | None) -> None:
        """Put what is owed in the place of what was reserved, which stays when that is unknown."""
        self._in_flight -= 1
        self._reserved_usd = self._reserved_usd - reserved_usd if self._in_flight else 0.0
        self.spent_usd += reserved_usd if owed_usd is None else owed_usd
        async with self._settled:
            self._settled.notify_all()

    def _full(self, usd: float) -> str | None:
        if self.max_calls is not None and self.calls >= self.max_calls:
            return f"max_calls {self.max_calls} is used up"
        if self.limit_usd is not None and self.spent_usd + self._reserved_usd + usd > self.limit_usd:
            return (
                f"budget_usd {self.limit_usd:g} does not reach for the next request:"
                f" {self.spent_usd:.4f} spent, it may cost {usd:.4f}"
            )
        return None


class Meter:
    """What one model and prompt asked and spent; a total of which a part is unknown is None."""

    def __init__(self, budget: Budget | None = None) -> None:
        self.budget = budget or Budget()
        self.calls = self.hits = self.errors = self.unknown_costs = 0
        self.input_tokens: int | None = 0
        self.output_tokens: int | None = 0
        self.spent_usd: float | None = 0.0
        self.saved_usd: float | None = 0.0

    def book(self, reply: Reply | None, owed_usd: float | None) -> None:
        """Count one attempt; without a reply it failed, and only one that owes nothing used no tokens."""
        self.calls += 1
        self.errors += reply is None or reply.error is not None
        self.unknown_costs += owed_usd is None
        self.spent_usd = _sum(self.spent_usd, owed_usd)
        if reply is not None or owed_usd != 0.0:
            self.input_tokens = _sum(self.input_tokens, reply.input_tokens if reply else None)
            self.output_tokens = _sum(self.output_tokens, reply.output_tokens if reply else None)

    def hit(self, reply: Reply) -> None:
        """Count one answer that the store gave."""
        self.hits += 1
        self.saved_usd = _sum(self.saved_usd, reply.cost_usd)

    def spend(self, at: str, suite: str, model: str, prompt: str, seconds: float) -> Spend:
        """Return the totals as a row of the spend file."""
        return Spend(
            at=at,
            suite=suite,
            model=model,
            prompt=prompt,
            calls=self.calls,
            hits=self.hits,
            errors=self.errors,
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            spent_usd=self.spent_usd,
            saved_usd=self.saved_usd,
            seconds=round(seconds, 3),
        )


def _sum(total: Number | None, more: Number | None) -> Number | None:
    return None if total is None or more is None else total + more
