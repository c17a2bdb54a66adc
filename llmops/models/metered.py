"""Books every attempt in a meter, and reserves its cost before it is made."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec

from llmops.errors import UserError, WorldError
from llmops.models.budget import Allowance, AtMost
from llmops.models.meter import Meter
from llmops.models.model import Model
from llmops.prices import Cost, dearest
from llmops.replies import Reply, Request
from llmops.totals import total

IN_PROCESS = frozenset({"llamacpp", "transformers"})
"""Kinds whose weights are on this machine, so that nobody sends a bill."""
EMPTY = Request(example_id="", inputs={}, messages=[])

TEMPLATE_TOKENS = 64
"""What a chat template may add to one message."""

STEP = 64
"""Tokens that a bound in dollars is rounded up by, so that the price table is looked into seldom."""

UNBILLED = frozenset({
    "certificate", "content_filter", "context_overflow", "forbidden", "key", "quota", "rate_limited",
    "refused", "stopped", "unknown", "unreachable",
})  # fmt: skip
"""Faults after which nothing is owed, since no answer was begun; after any other it is not known."""


def metered(model: Model, meter: Meter, cost: Cost) -> Model:
    """Return the model with its attempts in ``meter`` and ``cost_usd`` on its replies.

    Args:
        cost: US dollars of a reply, None when they cannot be known.

    Raises:
        BudgetSpent: when asked, and the budget does not reach for this request's dearest outcome.
        UserError: the budget limits what cannot be foreseen.
    """
    foresee = foreseer(model, cost, meter.budget.allowance)

    async def ask(request: Request) -> Reply:
        reserved = await meter.budget.reserve(foresee(request), model.name)
        owed: float | None = None
        tokens: int | None = None
        reply: Reply | None = None
        sent = True
        try:
            reply = await model.ask(request)
            owed, tokens = cost(reply), owed_tokens(reply)
        except (WorldError, UserError) as problem:
            if getattr(problem, "kind", "key") in UNBILLED:
                owed, tokens = 0.0, 0
            sent = getattr(problem, "sent", True)
            raise
        finally:
            meter.budget.settle(reserved, owed, tokens, sent=sent)
            if sent:
                meter.book(reply, owed)
        return msgspec.structs.replace(reply, cost_usd=owed)

    return replace(model, ask=ask)


def foreseer(model: Model, cost: Cost, allowance: Allowance) -> Callable[[Request], AtMost]:
    """Return the function that tells the most that a request can take of what is limited.

    A token is at least one byte, so the request's bytes bound its tokens; ``max_tokens`` bounds
    those of the answer, where the server heeds it. What weights in this process take is not
    dollars, unless they have a price.

    Raises:
        UserError: what is limited cannot be foreseen.
    """
    dollars_of = _dollars(model, cost, allowance)
    tokens_limited = allowance.budget_tokens is not None
    if tokens_limited:
        _check_output(model, "budget_tokens")
    usd_per_s = model.price.usd_per_s() if model.price and allowance.budget_usd is not None else 0.0

    def foresee(request: Request) -> AtMost:
        if not (tokens_limited or dollars_of or usd_per_s):
            return AtMost()
        given = _most_tokens(model.wire(request))
        made = most_output(model, request) or 0
        tokens = given + made if tokens_limited else 0
        return AtMost(dollars_of(given, made) if dollars_of else 0.0, tokens, usd_per_s)

    return foresee


def _dollars(model: Model, cost: Cost, allowance: Allowance) -> Callable[[int, int], float] | None:
    """Return the most dollars of so many tokens in and out; None where none are to be foreseen."""
    hourly = model.price is not None and model.price.per_hour_usd is not None
    free = model.price is None and model.identity.get("kind") in IN_PROCESS
    if allowance.budget_usd is None or hourly or free:
        return None
    tier = model.wire(EMPTY).get("service_tier")
    if dearest(cost, 1, 1, tier) is None:
        if allowance.allow_unknown_price:
            return None
        raise UserError(
            f"models.{model.name}: price: is not known, so budget_usd cannot be held; give price:"
            " {input_per_mtok_usd: …, output_per_mtok_usd: …} (0 for a server of one's own), or set"
            " generate.allow_unknown_price: true"
        )
    _check_output(model, "budget_usd")
    return lambda given, made: dearest(cost, -(-given // STEP) * STEP, made, tier) or 0.0


def owed_tokens(reply: Reply) -> int | None:
    """Return the tokens that the server counted; an estimate of them is not what it may bill."""
    return None if reply.usage_source == "estimated" else total([reply.input_tokens, reply.output_tokens])


def most_output(model: Model, request: Request) -> int | None:
    """Return the most tokens that an answer may have; None where nothing says so.

    Choices that are weighed are the answer's tokens, all of them.
    """
    if request.choices:
        return sum(len(choice.encode("utf-8", "surrogatepass")) for choice in request.choices)
    most: int | None = (model.identity.get("sampling") or {}).get("max_tokens")
    return most or model.identity.get("context")


def _check_output(model: Model, limit: str) -> None:
    if most_output(model, EMPTY) is None:
        raise UserError(
            f"models.{model.name}: sampling: max_tokens is not set, so {limit} cannot be held; set it"
        )


def _most_tokens(wire: dict[str, Any]) -> int:
    text = json.dumps(wire, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return len(text) + TEMPLATE_TOKENS * (1 + len(wire.get("messages") or []))
