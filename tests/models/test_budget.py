"""The budget: held whatever is in flight, and what was asked is the beginning of the order of asking."""

import asyncio
import contextlib

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from llmops.errors import UserError
from llmops.models.budget import Allowance, AtMost, Budget, BudgetSpent, checked
from llmops.models.meter import Meter
from llmops.models.protocol.chat import open_openai
from llmops.models.specs import OpenAISpec
from llmops.models.stack import Limits, check_budget, stacked
from llmops.models.stoppable import Stopping
from llmops.models.store.store import open_store
from llmops.prices import Price
from llmops.replies import Sampling
from tests.servers.behaviour import Behaviour
from tests.servers.started import started

PRICE = Price(input_per_mtok_usd=10.0, output_per_mtok_usd=30.0)


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


class ABudget(RuleBasedStateMachine):
    """Requests come, are answered for less than their dearest outcome or in a way that is not known, and leave."""

    @initialize(
        usd=st.none() | st.integers(0, 64),
        tokens=st.none() | st.integers(0, 64),
        calls=st.none() | st.integers(0, 12),
    )
    def opens(self, usd, tokens, calls):
        self.loop = asyncio.new_event_loop()
        self.allowance = Allowance(budget_usd=usd, budget_tokens=tokens, budget_calls=calls)
        self.budget = Budget(self.allowance)
        self.asked, self.in_flight, self.owed = [], [], AtMost()

    def settle_down(self):
        for _ in range(4 + 2 * len(self.asked)):
            self.loop.run_until_complete(asyncio.sleep(0))

    @rule(usd=st.integers(0, 16), tokens=st.integers(0, 16))
    def a_request_comes(self, usd, tokens):
        at_most = AtMost(float(usd), tokens)

        async def ask():
            self.in_flight.append(await self.budget.reserve(at_most, "bot"))

        self.asked.append(self.loop.create_task(ask()))
        self.settle_down()

    @precondition(lambda self: self.in_flight)
    @rule(which=st.integers(0, 99), share=st.sampled_from([0.0, 0.25, 1.0, None]))
    def one_is_answered(self, which, share):
        done = self.in_flight.pop(which % len(self.in_flight))
        usd, tokens, _ = done.at_most
        if share is None:  # it may have been billed in full
            self.budget.settle(done, None, None)
            share = 1.0
        else:
            self.budget.settle(done, usd * share, int(tokens * share))
        self.owed = AtMost(self.owed.usd + usd * share, self.owed.tokens + int(tokens * share))
        self.settle_down()

    @precondition(lambda self: any(not task.done() for task in self.asked))
    @rule(which=st.integers(0, 99))
    def one_that_waits_is_cancelled(self, which):
        waiting = [task for task in self.asked if not task.done()]
        task = waiting[which % len(waiting)]
        task.cancel()
        self.settle_down()
        self.asked.remove(task)

    @invariant()
    def nothing_goes_over(self):
        if not hasattr(self, "budget"):
            return
        at_most = [reservation.at_most for reservation in self.in_flight]
        worst_usd = self.owed.usd + sum(each.usd for each in at_most)
        worst_tokens = self.owed.tokens + sum(each.tokens for each in at_most)
        limits = self.allowance
        assert limits.budget_usd is None or worst_usd <= limits.budget_usd
        assert limits.budget_tokens is None or worst_tokens <= limits.budget_tokens
        assert limits.budget_calls is None or self.budget.calls <= limits.budget_calls
        assert (self.budget.spent_usd, self.budget.spent_tokens) == self.owed[:2]

    @invariant()
    def what_was_asked_is_the_beginning(self):
        outcomes = [_outcome(task) for task in getattr(self, "asked", [])]
        assert outcomes == sorted(outcomes)

    @invariant()
    def nobody_waits_for_nothing(self):
        if not getattr(self, "in_flight", [0]):
            assert all(task.done() for task in self.asked)

    def teardown(self):
        for task in getattr(self, "asked", []):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, BudgetSpent):
                self.loop.run_until_complete(task)
        if hasattr(self, "loop"):
            self.loop.close()


def _outcome(task):
    """Return 0 for one that was let through, 1 for one that waits, 2 for one that was refused."""
    if not task.done():
        return 1
    return 2 if task.exception() else 0


TestABudget = ABudget.TestCase
TestABudget.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_an_hourly_price_is_held_by_the_time_that_passed(run):
    clock = Clock()
    budget = Budget(Allowance(budget_usd=1.0), clock)
    machine = AtMost(usd_per_s=0.1)

    async def work():
        first, second = [await budget.reserve(machine) for _ in range(2)]
        clock.now += 5.0
        third = asyncio.create_task(budget.reserve(machine))
        await asyncio.sleep(0)
        assert not third.done()  # the two have accrued a dollar
        budget.settle(first, 0.2, None)
        await third
        budget.settle(second, None, None)
        assert budget.spent_usd == pytest.approx(0.2 + 0.5)
        clock.now += 3.0
        fourth = asyncio.create_task(budget.reserve(machine))
        await asyncio.sleep(0)
        budget.settle(await third, 0.3, None)
        with pytest.raises(BudgetSpent, match="budget_usd 1 does not reach"):
            await fourth

    run(work())


def test_no_request_starts_after_the_minutes_are_over_and_those_in_flight_are_waited_for(run):
    clock = Clock()
    budget = Budget(Allowance(budget_min=2.0), clock)

    async def work():
        clock.now += 1000.0  # loading weights is not asking
        first = await budget.reserve(AtMost())
        clock.now += 119.0
        budget.settle(await budget.reserve(AtMost()), 0.0, 0)
        clock.now += 1.0
        late = asyncio.create_task(budget.reserve(AtMost()))
        await asyncio.sleep(0)
        budget.settle(first, 5.0, 10)
        with pytest.raises(BudgetSpent, match="budget_min 2 is over"):
            await late

    run(work())
    assert (budget.spent_usd, budget.spent_tokens, budget.calls) == (5.0, 10, 2)


def test_who_waits_for_those_in_flight_holds_up_no_batch(run):
    budget = Budget(Allowance(budget_usd=1.0))

    async def work():
        direct = await budget.reserve(AtMost(usd=0.4), "direct")
        waiting = asyncio.create_task(budget.reserve(AtMost(usd=0.7), "direct"))
        await asyncio.sleep(0)
        in_batch = await budget.reserve(AtMost(usd=0.2), "in batches", waits=False)
        with pytest.raises(BudgetSpent):
            await budget.reserve(AtMost(usd=0.5), "in batches", waits=False)
        assert not waiting.done()
        budget.settle(direct, 0.1, None)
        budget.settle(await waiting, 0.1, None)
        budget.settle(in_batch, 0.1, None)

    run(asyncio.wait_for(work(), 5.0))
    assert budget.spent_usd == pytest.approx(0.3)


def test_a_batch_which_may_take_a_day_is_not_waited_for(run):
    budget = Budget(Allowance(budget_usd=1.0))

    async def work():
        await budget.reserve(AtMost(usd=0.8), "in batches", waits=False)
        with pytest.raises(BudgetSpent, match="budget_usd 1 does not reach"):
            await budget.reserve(AtMost(usd=0.5), "direct")
        await budget.reserve(AtMost(usd=0.1), "another")

    run(asyncio.wait_for(work(), 5.0))


def test_who_waits_for_the_budget_is_freed_when_the_run_is_to_stop(run):
    budget = Budget(Allowance(budget_usd=1.0))

    async def work():
        await budget.reserve(AtMost(usd=0.8), "bot")
        waiting = [asyncio.create_task(budget.reserve(AtMost(usd=0.5), "bot")) for _ in range(3)]
        await asyncio.sleep(0)
        budget.end_waits()
        return await asyncio.gather(*waiting, return_exceptions=True)

    assert [type(found) for found in run(asyncio.wait_for(work(), 5.0))] == [Stopping] * 3


def test_one_models_spent_budget_does_not_stop_what_costs_nothing(run):
    budget = Budget(Allowance(budget_usd=1.0))

    async def work():
        with pytest.raises(BudgetSpent):
            await budget.reserve(AtMost(usd=2.0), "dear")
        with pytest.raises(BudgetSpent):
            await budget.reserve(AtMost(usd=0.5), "dear")
        await budget.reserve(AtMost(), "in this process")

    run(work())


def test_what_is_left_is_told_in_every_unit(run):
    clock = Clock()
    budget = Budget(Allowance(budget_usd=2.0, budget_tokens=10_000, budget_calls=5, budget_min=3.0), clock)
    run(budget.reserve(AtMost(usd=0.5, tokens=400)))
    clock.now += 30.0
    assert budget.left() == "$1.50, 9,600 tokens, 4 calls, 2.5 min left of the budget"
    assert Budget().left() == ""


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"budget_min": -1.0}, "budget_min: is -1.0; must be 0 or more"),
        ({"concurrency": 0}, "concurrency: is 0; must be 1 or more"),
        ({"concurrency": -3}, "concurrency: is -3; must be 1 or more"),
        ({"attempts": 0}, "attempts: is 0; must be 1 or more"),
        ({"patience_s": -0.5}, "patience_s: is -0.5; must be 0 or more"),
        ({"requests_per_min": -5.0}, "requests_per_min: is -5.0; must be above 0, or null for no limit"),
        ({"tokens_per_min": 0.0}, "tokens_per_min: is 0.0; must be above 0, or null for no limit"),
    ],
)
@pytest.mark.parametrize("where", ["params.yaml: generate", "params.yaml: judge"])
def test_a_limit_that_is_none_is_refused(setting, said, where):
    with pytest.raises(UserError) as problem:
        checked(Limits(**setting), where)
    assert str(problem.value) == f"{where}: {said}"


def test_limits_that_are_left_out_or_as_low_as_can_be_are_taken():
    lowest = Limits(concurrency=1, attempts=1, patience_s=0.0, requests_per_min=0.5, budget_usd=0.0)
    assert checked(lowest, "generate") is lowest
    assert checked(Limits(), "generate") == Limits()


# a real server


def asked(server, tmp_path, request_of, questions=300, price=PRICE, **limits):
    """Ask so many questions of the server through the whole stack, 64 at once, and return the meter."""
    spec = OpenAISpec(model="m", base_url=server.url, price=price, sampling=Sampling(max_tokens=3))
    settings = Limits(concurrency=64, attempts=2, patience_s=5.0, **limits)
    meter = Meter(Budget(settings))

    async def work():
        model, store = open_openai("bot", spec), open_store(f"sqlite:///{tmp_path / 'store.db'}")
        texts = [f"question {number} {'long ' * (number % 7)}" for number in range(questions)]
        try:
            check_budget([model], settings)
            ask = stacked(model, store, meter, settings).ask
            return await asyncio.gather(*map(ask, map(request_of, texts)), return_exceptions=True)
        finally:
            await model.close()
            store.close()

    replies = asyncio.run(work())
    assert any(isinstance(reply, BudgetSpent) for reply in replies)
    return meter, replies


FAULTS = {"500": 0.05, "cut": 0.05, "garbage": 0.05}


@pytest.mark.parametrize("faults", [{}, FAULTS], ids=["sound", "faulty"])
def test_a_servers_own_count_never_passes_a_budget_of_tokens(faults, tmp_path, request_of):
    with started(Behaviour(latency_s=0.005, latency_spread_s=0.01, faults=faults)) as server:
        asked(server, tmp_path, request_of, budget_tokens=3000)
        billed = server.counts().billed
    assert 0 < billed.input_tokens + billed.output_tokens <= 3000
    assert billed.calls > 10


@pytest.mark.parametrize("faults", [{}, FAULTS], ids=["sound", "faulty"])
def test_a_servers_own_bill_never_passes_a_budget_of_dollars(faults, tmp_path, request_of):
    with started(Behaviour(latency_s=0.005, latency_spread_s=0.01, faults=faults)) as server:
        meter, _ = asked(server, tmp_path, request_of, budget_usd=0.05)
        billed = server.counts().billed
    bill_usd = (billed.input_tokens * 10 + billed.output_tokens * 30) / 1e6
    assert 0.01 < bill_usd <= 0.05
    assert bill_usd - 1e-9 <= meter.budget.spent_usd <= 0.05


def test_a_server_sees_no_more_attempts_than_the_budget_of_calls(tmp_path, request_of):
    with started(Behaviour(latency_s=0.005, faults={"500": 0.2})) as server:
        asked(server, tmp_path, request_of, budget_calls=100)
        assert server.counts().requests == 100


def test_an_unknown_price_is_asked_under_a_budget_of_dollars_when_it_is_allowed(tmp_path, request_of):
    with started(Behaviour()) as server:
        with pytest.raises(UserError, match="price: is not known, so budget_usd cannot be held"):
            asked(server, tmp_path, request_of, price=None, budget_usd=1.0)
        assert server.counts().requests == 0
        meter, _ = asked(
            server, tmp_path, request_of,
            price=None, budget_usd=1.0, budget_calls=9, allow_unknown_price=True,
        )  # fmt: skip
        assert server.counts().requests == 9
    assert meter.spent_usd is None
