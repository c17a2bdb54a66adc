"""The ledger of one run: what was asked and paid."""

from llmops.models.budget import Budget
from llmops.records import Spend
from llmops.replies import Reply
from llmops.totals import total


class Meter:
    """What one model and prompt asked and spent; a total of which a part is unknown is None."""

    def __init__(self, budget: Budget | None = None, price_source: str | None = None) -> None:
        self.budget, self.price_source = budget or Budget(), price_source
        self.calls = self.hits = self.errors = self.unknown_calls = self.unknown_costs = 0
        self.input_tokens: int | None = 0
        self.output_tokens: int | None = 0
        self.spent_usd: float | None = 0.0
        self.saved_usd: float | None = 0.0

    def book(self, reply: Reply | None, owed_usd: float | None) -> None:
        """Count one attempt; without a reply it failed, and only one that owes nothing used no tokens."""
        self.calls += 1
        self.errors += reply is None or reply.error is not None
        self.unknown_calls += reply is None and owed_usd is None
        self.unknown_costs += owed_usd is None
        self.spent_usd = total([self.spent_usd, owed_usd])
        if reply is not None or owed_usd != 0.0:
            self.input_tokens = total([self.input_tokens, reply.input_tokens if reply else None])
            self.output_tokens = total([self.output_tokens, reply.output_tokens if reply else None])

    def hit(self, reply: Reply) -> None:
        """Count one answer that the store gave."""
        self.hits += 1
        self.saved_usd = total([self.saved_usd, reply.cost_usd])

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
            unknown_calls=self.unknown_calls,
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            spent_usd=self.spent_usd,
            saved_usd=self.saved_usd,
            seconds=round(seconds, 3),
            price_source=self.price_source,
        )
