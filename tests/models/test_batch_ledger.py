"""The ledger of batches: what is not known to be owed keeps the place of the dearest outcome."""

import pytest

from llmops.errors import WorldError
from llmops.models.batches.ledger import Ledger
from llmops.models.batches.rows import Row
from llmops.models.budget import Allowance, Budget
from llmops.models.meter import Meter
from llmops.models.model import Model, not_open
from llmops.replies import Reply

ALLOWANCE = Allowance(budget_usd=9.0, budget_tokens=9000)
BROKEN = WorldError("bad_reply", "no completion", transient=True)


def a_ledger():
    identity = {"kind": "openai", "model": "m", "sampling": {"max_tokens": 10}}
    model = Model("bot", identity, lambda r: {"messages": [m.content for m in r.messages]}, not_open)
    return Ledger(model, lambda reply: (reply.input_tokens + reply.output_tokens) * 0.001, ALLOWANCE)


def at_most(run, request):
    """What is set aside for a request: its dollars and tokens."""
    ledger, budget = a_ledger(), Budget(ALLOWANCE)
    run(ledger.reserve("k", request, budget))
    meter = Meter(budget)
    ledger.book(Row("k", BROKEN, billed=None), meter, request)
    return budget.spent_usd, budget.spent_tokens


@pytest.mark.parametrize("sent_by", ["this run", "an earlier run"])
@pytest.mark.parametrize(
    ("outcome", "billed", "keeps_usd", "keeps_tokens"),
    [
        (Reply(text="x", input_tokens=5, output_tokens=2, cost_usd=0.007), True, False, False),
        (Reply(text="x", input_tokens=5, output_tokens=2, usage_source="estimated"), True, True, True),
        (BROKEN, None, True, True),
        (WorldError("expired", "too late", transient=True), False, False, False),
    ],
    ids=["counted", "estimated", "unknown", "unbilled"],
)
def test_only_what_is_known_takes_the_place_of_the_dearest_outcome(
    sent_by, outcome, billed, keeps_usd, keeps_tokens, run, request_of
):
    request = request_of()
    most_usd, most_tokens = at_most(run, request)
    ledger, meter = a_ledger(), Meter(Budget(ALLOWANCE))
    if sent_by == "this run":
        run(ledger.reserve("k", request, meter.budget))
    ledger.book(Row("k", outcome, billed), meter, request)
    known = isinstance(outcome, Reply)
    assert meter.budget.spent_usd == (most_usd if keeps_usd else 0.007 if known else 0.0)
    assert meter.budget.spent_tokens == (most_tokens if keeps_tokens else 7 if known else 0)
    assert most_usd > 0.007
    assert most_tokens > 7


def test_what_an_earlier_run_sent_is_set_aside_though_the_budget_is_spent(run, request_of):
    ledger, budget = a_ledger(), Budget(Allowance(budget_usd=0.0, budget_tokens=0))
    ledger.owe("k", request_of(), budget)
    ledger.book(Row("k", BROKEN, billed=None), Meter(budget), request_of())
    assert (budget.spent_usd, budget.spent_tokens) == at_most(run, request_of())
