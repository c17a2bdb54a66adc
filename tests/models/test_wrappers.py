"""The wrappers, each around a model that is three lines."""

import asyncio
from random import Random

import pytest

from llmops.errors import UserError, WorldError
from llmops.models.budget import Allowance, Budget, BudgetSpent
from llmops.models.limits.admission import Rates
from llmops.models.limits.limited import limited
from llmops.models.meter import Meter
from llmops.models.metered import STEP, metered
from llmops.models.model import Model
from llmops.models.retrying import Patience, retrying
from llmops.models.stack import Limits, stacked, stacks
from llmops.models.stoppable import Stop
from llmops.models.store.store import open_store
from llmops.models.stored import stored
from llmops.models.timed import timed
from llmops.models.vetted import Standing, vetted
from llmops.prices import Price
from llmops.replies import Fault, Reply

URL = "http://127.0.0.1:9/v1"


def a_model(ask, **more):
    identity = {"kind": "openai", "base_url": URL, "model": "m", "sampling": {"max_tokens": 10}}
    return Model("bot", identity, lambda r: {"messages": [m.content for m in r.messages]}, ask, **more)


def failing(*faults, then=None):
    """A model that raises each fault in turn, and then answers."""
    left, asked = list(faults), []

    async def ask(request):
        asked.append(request)
        if left:
            raise left.pop(0)
        return then or Reply(text="answer", input_tokens=5, output_tokens=2)

    return a_model(ask), asked


def busy(retry_after_s=None):
    return WorldError("rate_limited", "slow down", transient=True, retry_after_s=retry_after_s)


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self):
        self.now, self.waits = 100.0, []

    def __call__(self):
        return self.now

    async def sleep(self, seconds):
        self.waits.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


@pytest.fixture
def store(tmp_path):
    opened = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    yield opened
    opened.close()


# retrying


def patient(model, clock, **more):
    return retrying(model, Patience(**more), Random(1), clock.sleep, clock)


def test_a_transient_fault_is_asked_again_until_it_passes(run, request_of):
    model, asked = failing(busy(), busy(), busy())
    clock = Clock()
    assert run(patient(model, clock).ask(request_of())).text == "answer"
    assert len(asked) == 4
    assert all(0 <= wait <= 0.5 * 2**n for n, wait in enumerate(clock.waits))
    assert len(set(clock.waits)) == 3


def test_as_many_attempts_as_are_wanted_are_waited_for(run, request_of):
    model, _ = failing(*[busy()] * 1100)
    clock = Clock()
    assert run(patient(model, clock, attempts=1101, total_s=1e9).ask(request_of())).text == "answer"
    assert max(clock.waits) <= 30.0


def test_a_retry_after_is_waited_out(run, request_of):
    model, _ = failing(busy(retry_after_s=17.0))
    clock = Clock()
    run(patient(model, clock).ask(request_of()))
    assert 17.0 <= clock.waits[0] <= 17.5


def test_attempts_are_bounded_and_the_fault_becomes_the_replys_error(run, request_of):
    model, asked = failing(*[busy()] * 9)
    reply = run(patient(model, Clock(), attempts=3).ask(request_of()))
    fault = Fault(kind="rate_limited", message="slow down")
    assert reply == Reply(error=fault, input_tokens=0, output_tokens=0, cost_usd=0.0)
    assert len(asked) == 3


def test_a_retry_after_beyond_the_patience_is_not_waited_for(run, request_of):
    model, asked = failing(busy(retry_after_s=3600.0))
    clock = Clock()
    assert run(patient(model, clock, total_s=60.0).ask(request_of())).error.kind == "rate_limited"
    assert (len(asked), clock.waits) == (1, [])


def test_a_refusal_is_not_asked_again(run, request_of):
    model, asked = failing(WorldError("context_overflow", "too long", transient=False))
    assert run(patient(model, Clock()).ask(request_of())).error.kind == "context_overflow"
    assert len(asked) == 1


def slow():
    return WorldError("timeout", "no answer", transient=True)


@pytest.mark.parametrize(
    ("faults", "owed"), [([busy()], 0.0), ([busy(), slow()], None), ([slow(), busy()], None)]
)
def test_what_was_never_answered_costs_nothing_only_where_no_attempt_may_have_been_billed(
    faults, owed, run, request_of
):
    model, _ = failing(*faults)
    reply = run(patient(model, Clock(), attempts=len(faults)).ask(request_of()))
    tokens = None if owed is None else 0
    assert (reply.cost_usd, reply.input_tokens, reply.output_tokens) == (owed, tokens, tokens)


def test_a_fault_of_the_users_passes_through(run, request_of):
    model, _ = failing(UserError("models.bot: mend it"))
    with pytest.raises(UserError, match="mend it"):
        run(patient(model, Clock()).ask(request_of()))


def test_the_patience_begins_with_the_first_fault(run, request_of):
    clock, faults = Clock(), [busy(), busy()]

    async def slowly(request):
        clock.now += 50.0  # the wait for a turn
        if faults:
            raise faults.pop()
        return Reply(text="answer")

    assert run(patient(a_model(slowly), clock, total_s=60.0).ask(request_of())).text == "answer"


# vetted


def by_text(**errors):
    """A model that answers after a moment, or has the error that the message's word names."""

    async def ask(request):
        word, _, delay_ms = request.messages[0].content.partition(" ")
        await asyncio.sleep(int(delay_ms or 0) / 1000)
        if (kind := errors.get(word)) is not None:
            return Reply(error=Fault(kind=kind, message=f"models.bot: {kind}; mend it"))
        return Reply(text="x")

    return a_model(ask)


def asked_together(run, request_of, model, texts, standing=None):
    standing = standing or Standing()

    async def work():
        asks = [vetted(model, standing).ask(request_of(text)) for text in texts]
        return await asyncio.gather(*asks, return_exceptions=True)

    return [
        type(found) if isinstance(found, Exception) else found.error and found.error.kind
        for found in run(work())
    ]


@pytest.mark.parametrize("kind", ["unknown", "forbidden", "unreachable"])
def test_what_meets_every_request_ends_the_run(kind, run, request_of):
    model = by_text(bad=kind)
    assert asked_together(run, request_of, model, ["bad 1", "bad 5", "bad 3"]) == [UserError] * 3
    assert asked_together(run, request_of, model, ["bad"]) == [UserError]


@pytest.mark.parametrize("kind", ["unknown", "forbidden", "unreachable"])
def test_what_meets_one_request_is_its_error_though_it_came_first(kind, run, request_of):
    model = by_text(bad=kind)
    assert asked_together(run, request_of, model, ["bad 1", "good 9", "bad 4"]) == [kind, None, kind]


def test_a_fault_of_another_kind_does_not_vouch_for_the_model(run, request_of):
    model = by_text(bad="unknown", slow="timeout")
    assert asked_together(run, request_of, model, ["bad 1", "slow 9"]) == [UserError, "timeout"]


def test_answers_in_the_store_vouch_for_a_model_but_not_for_its_address(run, request_of):
    model = by_text(bad="forbidden", away="unreachable")
    assert asked_together(run, request_of, model, ["bad"], Standing(lambda: True)) == ["forbidden"]
    assert asked_together(run, request_of, model, ["away"], Standing(lambda: True)) == [UserError]


def test_an_address_where_nothing_answers_is_named(run, request_of):
    model = vetted(by_text(away="unreachable"), Standing())
    with pytest.raises(UserError, match=rf"models\.bot: nothing answers at {URL}; start the server"):
        run(model.ask(request_of("away")))


# limited


def counted(delay_s=0.002):
    seen = {"now": 0, "most": 0, "calls": 0}

    async def ask(request):
        seen["now"] += 1
        seen["calls"] += 1
        seen["most"] = max(seen["most"], seen["now"])
        await asyncio.sleep(delay_s)
        seen["now"] -= 1
        return Reply(text="x", input_tokens=8, output_tokens=10)

    return ask, seen


async def ask_many(model, count, request_of):
    return await asyncio.gather(
        *(model.ask(request_of(f"q {n}")) for n in range(count)), return_exceptions=True
    )


@pytest.mark.parametrize(("own", "most"), [(None, 5), (2, 2), (9, 5)])
def test_no_more_are_in_flight_than_stage_and_model_allow(own, most, run, request_of):
    ask, seen = counted()
    run(ask_many(limited(a_model(ask, concurrency=own), 5), 40, request_of))
    assert seen["most"] == most
    assert seen["calls"] == 40


def test_starts_are_spaced_by_the_requests_a_minute(run, request_of):
    clock, starts = Clock(), []

    async def ask(request):
        starts.append(clock.now)
        return Reply(text="x")

    async def one_by_one():
        model = limited(a_model(ask), 1, Rates(requests_per_min=30), clock, clock.sleep)
        for _ in range(4):
            await model.ask(request_of())

    run(one_by_one())
    assert starts == [100.0, 102.0, 104.0, 106.0]


def test_no_request_is_begun_again_after_the_patience_however_long_it_waits_for_its_turn(run, request_of):
    clock, begun = Clock(), {}

    async def ask(request):
        begun.setdefault(request.example_id, []).append(clock.now)
        raise busy()

    async def ask_all():
        rates = Rates(requests_per_min=1.0, adaptive=False)
        turns = limited(a_model(ask), 4, rates, clock, clock.sleep)
        requests = [request_of(example_id=f"e-{n}") for n in range(8)]
        return await asyncio.gather(*(patient(turns, clock, total_s=200.0).ask(each) for each in requests))

    replies = run(ask_all())
    assert {reply.error.message for reply in replies} == {"slow down"}
    assert all(each[-1] - each[0] <= 200.0 for each in begun.values())
    assert len(begun) == 8, "the wait for the first turn does not count"
    assert max(map(len, begun.values())) > 1


# timed


def test_a_reply_tells_when_it_was_asked_and_how_long_it_took(run, request_of):
    clock = Clock()

    async def ask(request):
        await clock.sleep(1.25)
        return Reply(text="x")

    reply = run(timed(a_model(ask), clock).ask(request_of()))
    assert reply.latency_s == 1.25
    assert reply.asked_at.endswith("+00:00")


def test_waiting_for_a_turn_is_no_latency(run, request_of):
    ask, _ = counted(delay_s=0.05)
    replies = run(ask_many(limited(timed(a_model(ask)), 1), 6, request_of))
    assert max(reply.latency_s for reply in replies) < 0.2


# metered


def dollars(per_token):
    def cost(reply):
        if reply.input_tokens is None or reply.output_tokens is None:
            return None
        return (reply.input_tokens + reply.output_tokens) * per_token

    return cost


def test_a_reply_carries_its_cost_and_the_meter_its_total(run, request_of):
    meter = Meter()
    model = metered(failing()[0], meter, dollars(0.01))
    assert run(model.ask(request_of())).cost_usd == pytest.approx(0.07)
    assert run(model.ask(request_of())).cost_usd == pytest.approx(0.07)
    assert (meter.calls, meter.errors, meter.input_tokens, meter.output_tokens) == (2, 0, 10, 4)
    assert meter.spent_usd == pytest.approx(0.14)


def test_every_attempt_is_booked_and_a_refused_one_owes_nothing(run, request_of):
    meter = Meter()
    model, _ = failing(busy(), busy())
    run(patient(metered(model, meter, dollars(0.01)), Clock()).ask(request_of()))
    assert (meter.calls, meter.errors, meter.unknown_costs) == (3, 2, 0)
    assert (meter.spent_usd, meter.input_tokens) == (pytest.approx(0.07), 5)


def test_an_attempt_that_may_have_been_billed_makes_the_total_unknown(run, request_of):
    meter = Meter()
    model, _ = failing(WorldError("timeout", "slow", transient=True))
    run(patient(metered(model, meter, dollars(0.01)), Clock()).ask(request_of()))
    assert (meter.spent_usd, meter.input_tokens, meter.unknown_costs) == (None, None, 1)
    assert meter.spend("now", "s", "m", "p", 1.0).spent_usd is None


def test_an_unknown_price_is_none_and_never_zero(run, request_of):
    meter = Meter()
    reply = run(metered(failing()[0], meter, lambda reply: None).ask(request_of()))
    assert (reply.cost_usd, meter.spent_usd, meter.unknown_costs) == (None, None, 1)
    assert meter.input_tokens == 5


@pytest.mark.parametrize("limit_usd", [0.5, 3.0, 20.0])
def test_64_in_flight_never_overshoot_the_budget_and_use_what_they_can(limit_usd, run, request_of):
    ask, seen = counted()
    budget = Budget(Allowance(budget_usd=limit_usd))
    meters = [Meter(budget), Meter(budget)]
    models = [limited(metered(a_model(ask), meter, dollars(0.01)), 64) for meter in meters]

    async def work():
        both = await asyncio.gather(*(ask_many(model, 100, request_of) for model in models))
        return [reply for replies in both for reply in replies]

    replies = run(work())
    spent = sum(meter.spent_usd for meter in meters)
    stopped = [reply for reply in replies if isinstance(reply, BudgetSpent)]
    assert spent == pytest.approx(seen["calls"] * 0.18)
    assert spent <= limit_usd
    assert len(stopped) == 200 - seen["calls"] > 0
    dearest_usd = 0.01 * (10 + 64 * 2 + STEP + 20)
    assert limit_usd - spent < dearest_usd


def test_an_unknown_cost_keeps_its_reservation(run, request_of):
    budget = Budget(Allowance(budget_usd=4.0))
    model, _ = failing(*[WorldError("timeout", "slow", transient=True)] * 9)
    asked = metered(model, Meter(budget), dollars(0.01))

    async def work():
        while True:
            try:
                await asked.ask(request_of())
            except WorldError:
                continue

    with pytest.raises(BudgetSpent, match="budget_usd 4 does not reach"):
        run(work())
    assert 0 < budget.spent_usd <= 4.0


def test_calls_are_never_more_than_the_budget_of_calls(run, request_of):
    ask, seen = counted()
    model = metered(a_model(ask), Meter(Budget(Allowance(budget_calls=7))), dollars(0.01))
    replies = run(ask_many(model, 64, request_of))
    assert seen["calls"] == 7
    assert sum(isinstance(reply, BudgetSpent) for reply in replies) == 57


def test_a_budget_over_an_unknown_price_is_refused_before_anything_is_asked(run, request_of):
    model, asked = failing()
    with pytest.raises(UserError, match=r"models\.bot: price: is not known, so budget_usd cannot be held"):
        run(metered(model, Meter(Budget(Allowance(budget_usd=1.0))), lambda reply: None).ask(request_of()))
    assert asked == []


def test_a_budget_without_a_cap_on_answers_is_refused(run, request_of):
    model = Model("bot", {"kind": "openai", "base_url": URL}, lambda r: {}, failing()[0].ask)
    with pytest.raises(UserError, match="max_tokens is not set"):
        run(metered(model, Meter(Budget(Allowance(budget_usd=1.0))), dollars(0.01)).ask(request_of()))


def test_a_model_in_this_process_needs_no_price_under_a_budget(run, request_of):
    model = Model("bot", {"kind": "llamacpp"}, lambda r: {}, failing()[0].ask)
    assert (
        run(
            metered(model, Meter(Budget(Allowance(budget_usd=1.0))), lambda reply: None).ask(request_of())
        ).cost_usd
        is None
    )


# stored


def test_identical_requests_at_the_same_time_are_asked_once(store, run, request_of):
    ask, seen = counted()
    meter = Meter()
    model = stored(a_model(ask), store, meter)

    async def work():
        return await asyncio.gather(*(model.ask(request_of("same")) for _ in range(50)))

    replies = run(work())
    assert (seen["calls"], meter.hits) == (1, 49)
    assert all(reply == replies[0] for reply in replies)


def test_faults_of_the_world_are_asked_again_and_refusals_are_kept(store, run, request_of):
    for kind, times in (("timeout", 2), ("application", 2), ("context_overflow", 1), ("content_filter", 1)):
        model, asked = failing(then=Reply(error=Fault(kind=kind, message="x")))
        kept = stored(model, store, Meter())
        for _ in range(2):
            assert run(kept.ask(request_of(kind))).error.kind == kind
        assert len(asked) == times


def test_an_asker_that_is_cancelled_leaves_the_request_to_the_next(store, run, request_of):
    ask, seen = counted(delay_s=0.05)
    model = stored(a_model(ask), store, Meter())

    async def work():
        first = asyncio.create_task(model.ask(request_of("same")))
        second = asyncio.create_task(model.ask(request_of("same")))
        await asyncio.sleep(0.01)
        first.cancel()
        return await second

    assert run(work()).text == "x"
    assert seen["calls"] == 2


# the stack


def test_a_hit_is_the_first_reply_and_is_not_paid_again(store, run, request_of):
    ask, seen = counted()
    model = a_model(ask, price=Price(input_per_mtok_usd=1e6, output_per_mtok_usd=2e6))
    first, second = Meter(), Meter()
    one = run(stacked(model, store, first, Limits()).ask(request_of()))
    two = run(stacked(model, store, second, Limits()).ask(request_of()))
    assert one == two
    assert (one.cost_usd, seen["calls"]) == (28.0, 1)
    assert (first.spent_usd, second.spent_usd, second.saved_usd, second.hits) == (28.0, 0.0, 28.0, 1)


def test_a_refusal_costs_nothing_and_saves_nothing(store, run, request_of):
    price = Price(input_per_mtok_usd=1.0, output_per_mtok_usd=1.0)
    refused, _ = failing(WorldError("context_overflow", "too long", transient=False))
    first, second = Meter(), Meter()
    for meter in (first, second):
        reply = run(stacked(a_model(refused.ask, price=price), store, meter, Limits()).ask(request_of()))
        assert (reply.error.kind, reply.cost_usd) == ("context_overflow", 0.0)
    assert (first.spent_usd, second.hits, second.saved_usd) == (0.0, 1, 0.0)


def test_stacks_of_one_model_share_its_limits(store, run, request_of):
    ask, seen = counted()
    meters = [Meter(), Meter(), Meter()]
    built = stacks(a_model(ask), store, meters, Limits(concurrency=4))

    async def work():
        await asyncio.gather(
            *(model.ask(request_of(f"{n} {m}")) for n, model in enumerate(built) for m in range(20))
        )

    run(work())
    assert seen["most"] == 4
    assert [meter.calls for meter in meters] == [20, 20, 20]


def test_a_run_that_is_to_stop_waits_for_what_is_on_the_wire_and_not_for_the_budget(store, run, request_of):
    stop, on_the_wire, answered = Stop(), asyncio.Event(), asyncio.Event()

    async def ask(request):
        on_the_wire.set()
        await answered.wait()
        return Reply(text="x", input_tokens=8, output_tokens=10)

    model = a_model(ask, price=Price(input_per_mtok_usd=1e4, output_per_mtok_usd=1e4))
    limits = Limits(budget_usd=4.0)

    async def work():
        [stack] = stacks(model, store, [Meter(Budget(limits))], limits, stop)
        first = asyncio.create_task(stack.ask(request_of("first")))
        await on_the_wire.wait()
        others = [asyncio.create_task(stack.ask(request_of(f"other {n}"))) for n in range(3)]
        await asyncio.sleep(0.01)
        stop.ask()
        replies = await asyncio.wait_for(asyncio.gather(*others), 5.0)
        answered.set()
        return await first, replies

    first, replies = run(work())
    assert first.text == "x"
    assert [reply.error.kind for reply in replies] == ["stopped"] * 3


def test_answers_that_exist_already_go_round_store_and_meter(store, run, request_of):
    model, _ = failing()
    recorded = a_model(model.ask, stored=False)
    meter = Meter()
    run(stacked(recorded, store, meter, Limits()).ask(request_of()))
    assert (meter.calls, meter.hits) == (0, 0)
