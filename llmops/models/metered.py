"""Books every attempt in a meter, and reserves its cost before it is made."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec

from llmops.errors import UserError, WorldError
from llmops.models.meter import Meter
from llmops.models.model import Model
from llmops.records import Reply, Request

Cost = Callable[[Reply], float | None]

TEMPLATE_TOKENS = 64
"""What a chat template may add to one message."""

UNBILLED = frozenset({
    "content_filter", "context_overflow", "key", "quota", "rate_limited", "refused", "unknown", "unreachable",
})  # fmt: skip
"""Faults after which nothing is owed, since no answer was begun; after any other it is not known."""


def metered(model: Model, meter: Meter, cost: Cost) -> Model:
    """Return the model with its attempts in ``meter`` and ``cost_usd`` on its replies.

    Args:
        cost: US dollars of a reply, None when they cannot be known.

    Raises:
        BudgetSpent: when asked, and the budget does not reach for this request's dearest outcome.
        UserError: when asked, and the budget limits dollars that cannot be foreseen.
    """
    foresee = foreseer(model, cost) if meter.budget.limit_usd is not None else None

    async def ask(request: Request) -> Reply:
        at_most_usd = foresee(request) if foresee else 0.0
        await meter.budget.reserve(at_most_usd)
        owed: float | None = None
        reply: Reply | None = None
        try:
            reply = await model.ask(request)
            owed = cost(reply)
        except (WorldError, UserError) as problem:
            owed = 0.0 if getattr(problem, "kind", "key") in UNBILLED else None
            raise
        finally:
            await meter.budget.settle(at_most_usd, owed)
            meter.book(reply, owed)
        return msgspec.structs.replace(reply, cost_usd=owed)

    return replace(model, ask=ask)


def foreseer(model: Model, cost: Cost) -> Callable[[Request], float]:
    """Return the function that tells the most that a request can cost, in US dollars.

    A token is at least one byte, so the request's bytes bound its tokens. A model in this
    process without a price is owed nothing; an hourly price is booked afterwards.
    """
    in_process = "base_url" not in model.identity
    free = model.price is None and in_process
    hourly = model.price is not None and model.price.per_hour_usd is not None
    max_tokens = (model.identity.get("sampling") or {}).get("max_tokens")

    def foresee(request: Request) -> float:
        if free or hourly:
            return 0.0
        if max_tokens is None:
            raise UserError(
                f"models.{model.name}: sampling: max_tokens is not set, so budget_usd cannot be held; set it"
            )
        dearest = cost(Reply(input_tokens=_most_tokens(model.wire(request)), output_tokens=max_tokens))
        if dearest is None:
            raise UserError(
                f"models.{model.name}: price: is not known, so budget_usd cannot be held; give price:"
                " {input_per_mtok_usd: …, output_per_mtok_usd: …} (0 for a server of one's own)"
            )
        return dearest

    return foresee


def _most_tokens(wire: dict[str, Any]) -> int:
    text = json.dumps([wire.get("messages"), wire.get("tools")], ensure_ascii=False)
    return len(text.encode("utf-8", "surrogatepass")) + TEMPLATE_TOKENS * (
        1 + len(wire.get("messages") or [])
    )
