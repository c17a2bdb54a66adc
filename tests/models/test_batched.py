"""A model asked in batches, against a batch server in a process of its own."""

import asyncio
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from msgspec.structs import replace

from llmops.errors import UserError
from llmops.models.budget import Allowance, Budget, BudgetSpent
from llmops.models.catalog import closed_model, open_model, parse_spec
from llmops.models.meter import Meter
from llmops.models.model import request_key
from llmops.models.stack import BATCHES, Limits, cost_of, stacks
from llmops.models.store.store import open_store
from llmops.places import Places
from llmops.replies import Message, Reply, Request, ResponseFormat
from tests.servers.batches import BatchBehaviour
from tests.servers.started import started

SECRET = "sk-planted-0123456789"  # noqa: S105
PRICE = {"input_per_mtok_usd": 1.0, "output_per_mtok_usd": 10.0, "batch_factor": 0.5}
USD = 0.001
"""What an answer costs: 1000 tokens in, 100 out, at half the price."""


def requests(*texts, **more):
    return [Request(t, {}, [Message(role="user", content=t)], **more) for t in texts]


class Asked:
    """What came of asking: the replies or problems by text, and the meter."""

    def __init__(self, found, meter):
        self.found, self.meter = found, meter

    @property
    def texts(self):
        return {text: reply.text for text, reply in self.found.items()}

    @property
    def kinds(self):
        return {text: reply.error and reply.error.kind for text, reply in self.found.items()}


@pytest.fixture
def ask(tmp_path, run):
    """Ask texts in batches of the server; further words go into the model's settings."""

    def asking(
        server,
        *texts,
        budget_usd=None,
        budget_calls=None,
        attempts=3,
        gives_up_s=None,
        batch=None,
        asked=None,
        **more,
    ):
        settings = {
            "kind": "openai", "model": "m-1", "base_url": server.url, "mode": "batch", "price": PRICE,
            "batch": {"poll_s": 0.05, **(batch or {})}, "sampling": {"max_tokens": 100}, **more,
        }  # fmt: skip
        meter = Meter(Budget(Allowance(budget_usd=budget_usd, budget_calls=budget_calls)))

        async def work():
            model = open_model("bot", parse_spec("bot", settings), Places(tmp_path))
            store = open_store(f"sqlite:///{tmp_path / 'state' / 'store.db'}")
            try:
                [stack] = stacks(model, store, [meter], Limits(attempts=attempts))
                async with asyncio.timeout(gives_up_s):
                    found = await asyncio.gather(
                        *map(stack.ask, requests(*texts, **(asked or {}))), return_exceptions=True
                    )
                return Asked(dict(zip(texts, found, strict=True)), meter)
            except TimeoutError:
                return Asked({}, meter)
            finally:
                await model.close()
                store.close()

        return run(work())

    return asking


def problem(asked):
    [one] = {str(found) for found in asked.found.values()}
    assert all(isinstance(found, UserError) for found in asked.found.values())
    return one


def open_entries(tmp_path):
    return sorted((tmp_path / "state" / BATCHES).glob("*.json"))


def test_all_that_is_asked_at_once_goes_out_in_one_batch_and_comes_back_to_its_asker(ask, tmp_path):
    texts = [f"question {n}" for n in range(200)]
    with started(BatchBehaviour()) as server:
        asked = ask(server, *texts)
        counts = server.batch_counts()
    assert asked.texts == {text: text for text in texts}
    assert counts.sizes == [200]
    assert set(counts.processed.values()) == {1}
    assert open_entries(tmp_path) == []


def test_a_reply_of_a_batch_tells_its_tier_and_when_but_not_how_long(ask):
    with started(BatchBehaviour()) as server:
        reply = ask(server, "a").found["a"]
    assert (reply.service_tier, reply.latency_s, reply.input_tokens) == ("batch", None, 1000)
    assert reply.asked_at is not None


def test_a_batch_is_booked_once_and_a_second_run_takes_it_from_the_store(ask):
    with started(BatchBehaviour()) as server:
        first, second = ask(server, "a", "b", price=None), ask(server, "a", "b", price=None)
        counts = server.batch_counts()
    assert (first.meter.calls, second.meter.calls, second.meter.hits) == (2, 0, 2)
    assert first.found == second.found
    assert counts.calls["create"] == 1


def test_the_key_is_that_of_direct_asking(ask, tmp_path, run):
    async def keys():
        found = []
        for mode in ("direct", "batch"):
            spec = {"kind": "openai", "model": "m-1", "base_url": "http://127.0.0.1:9/v1", "mode": mode}
            model = open_model("bot", parse_spec("bot", spec), Places(tmp_path))
            found.append(request_key(model, requests("a")[0]))
            await model.close()
        return found

    direct, batch = run(keys())
    assert direct == batch


@pytest.mark.parametrize(("model", "share"), [("gpt-4o-mini", 0.5), ("nobody-knows-it", None)])
def test_what_a_batch_will_cost_is_told_before_it_is_sent(model, share, tmp_path):
    def cost(mode):
        spec = parse_spec("bot", {"kind": "openai", "model": model, "mode": mode})
        told = cost_of(closed_model("bot", spec, Places(tmp_path)))
        return told(Reply(input_tokens=10**6, output_tokens=10**6, asked_at="2026-11-01T00:00:00+00:00"))

    assert cost("batch") == (None if share is None else pytest.approx(share * cost("direct")))


def test_what_failed_is_sent_again_and_nothing_else(ask):
    rows = {"b": "500", "c": "expired", "d": "missing", "e": "garbage", "f": "html"}
    with started(BatchBehaviour(rows=rows)) as server:
        asked = ask(server, "a", "b", "c", "d", "e", "f")
        counts = server.batch_counts()
    assert asked.texts == {text: text for text in "abcdef"}
    assert counts.sizes == [6, 5]
    assert set(counts.processed.values()) == {1}


def test_what_keeps_failing_is_an_error_of_its_example_and_asked_anew_in_the_next_run(ask):
    with started(BatchBehaviour(rows={"b": "500"}, faulty_batches=3)) as server:
        asked = ask(server, "a", "b")
        again = ask(server, "a", "b")
        sizes = server.batch_counts().sizes
    assert asked.kinds == {"a": None, "b": "server_error"}
    assert again.texts == {"a": "a", "b": "b"}
    assert sizes == [2, 1, 1, 1]


def test_a_refused_request_is_not_sent_again(ask):
    with started(BatchBehaviour(rows={"b": "400"})) as server:
        asked = ask(server, "a", "b")
        sizes = server.batch_counts().sizes
    assert asked.kinds == {"a": None, "b": "refused"}
    assert sizes == [2]


def test_what_a_batch_did_not_answer_costs_nothing_where_the_provider_says_so(ask):
    outcomes = {"b": "400", "c": "500", "d": "expired", "e": "missing", "f": "html"}
    with started(BatchBehaviour(rows=outcomes)) as server:
        asked = ask(server, *"abcdef", attempts=1)
    costs = {text: reply.cost_usd for text, reply in asked.found.items()}
    assert costs == {"a": USD, "b": 0.0, "c": 0.0, "d": 0.0, "e": 0.0, "f": None}


def test_an_expired_batch_keeps_what_it_answered(ask):
    with started(BatchBehaviour(ends=["expired"], rows={"b": "expired", "c": "missing"})) as server:
        asked = ask(server, "a", "b", "c")
        counts = server.batch_counts()
    assert asked.texts == {"a": "a", "b": "b", "c": "c"}
    assert counts.sizes == [3, 2]
    assert set(counts.processed.values()) == {1}


def test_what_a_cancelled_batch_left_is_not_sent_again_in_this_run(ask):
    with started(BatchBehaviour(ends=["cancelled"], rows={"b": "missing"})) as server:
        asked = ask(server, "a", "b")
        sizes = server.batch_counts().sizes
    assert asked.kinds == {"a": None, "b": "cancelled"}
    assert sizes == [2]


def test_a_batch_that_the_provider_refuses_stops_the_run_with_its_reason(ask, tmp_path):
    with started(BatchBehaviour(ends=["failed"], problem="model_not_found")) as server:
        said = problem(ask(server, "a", "b"))
    assert "refused the batch batch_1 (model_not_found: told to refuse it)" in said
    assert open_entries(tmp_path) == []


def test_a_full_queue_is_waited_for(ask):
    with started(BatchBehaviour(ends=["failed"], problem="token_limit_exceeded")) as server:
        assert ask(server, "a", "b").texts == {"a": "a", "b": "b"}
        assert server.batch_counts().sizes == [2, 2]


@pytest.mark.parametrize("limit", [{"max_requests": 3}, {"max_bytes": 800}])
def test_more_than_a_batch_takes_goes_out_in_several(limit, ask):
    texts = [f"q{n}" for n in range(7)]
    with started(BatchBehaviour()) as server:
        assert ask(server, *texts, batch=limit).texts == {text: text for text in texts}
        counts = server.batch_counts()
    assert counts.sizes == [3, 3, 1]
    assert set(counts.processed.values()) == {1}


def test_a_request_larger_than_a_batch_is_its_own_fault(ask):
    with started(BatchBehaviour()) as server:
        asked = ask(server, "short", "long " * 200, batch={"max_bytes": 800})
    assert asked.kinds == {"short": None, "long " * 200: "refused"}


def test_what_the_budget_does_not_reach_for_is_not_sent(ask):
    texts = [f"q{n}" for n in range(5)]
    with started(BatchBehaviour()) as server:
        asked = ask(server, *texts, budget_usd=0.002)
        sizes = server.batch_counts().sizes
    spent = [text for text, found in asked.found.items() if isinstance(found, BudgetSpent)]
    assert sizes == [5 - len(spent)]
    assert 0 < len(spent) < 5
    assert asked.meter.budget.spent_usd == pytest.approx(USD * sizes[0])


@pytest.mark.parametrize("call", ["upload", "create"])
def test_what_never_left_takes_nothing_of_the_budget_of_calls(call, ask):
    with started(BatchBehaviour(statuses={call: [503, 503]})) as server:
        asked = ask(server, "a", "b", budget_calls=2)
    assert asked.texts == {"a": "a", "b": "b"}
    assert asked.meter.budget.calls == 2


def test_a_budget_shared_with_a_direct_model_holds_up_neither(tmp_path, run):
    settings = {
        "kind": "openai", "model": "m-1", "price": PRICE, "sampling": {"max_tokens": 100},
        "batch": {"poll_s": 0.05},
    }  # fmt: skip
    meter = Meter(Budget(Allowance(budget_usd=0.002)))

    async def work(base_url):
        store = open_store(f"sqlite:///{tmp_path / 'state' / 'store.db'}")
        models = [
            open_model(mode, parse_spec(mode, {**settings, "mode": mode, "base_url": url}), Places(tmp_path))
            for mode, url in (("batch", base_url), ("direct", "http://127.0.0.1:9/v1"))
        ]
        batch, direct = (stacks(model, store, [meter], Limits())[0].ask for model in models)
        try:
            first = asyncio.create_task(batch(requests("a")[0]))
            while not server.batch_counts().calls.get("look"):
                await asyncio.sleep(0.02)
            others = [asyncio.create_task(ask(requests("b" * 700)[0])) for ask in (direct, batch)]
            await asyncio.sleep(0.7)
            server.go_on()
            return await asyncio.wait_for(asyncio.gather(first, *others, return_exceptions=True), 20.0)
        finally:
            for model in models:
                await model.close()
            store.close()

    with started(BatchBehaviour(still=True)) as server:
        first, directly, in_a_batch = run(work(server.url))
    assert (first.text, in_a_batch.text) == ("a", "b" * 700)
    assert isinstance(directly, BudgetSpent)
    assert meter.budget.spent_usd == pytest.approx(2 * USD)


def test_what_an_earlier_run_sent_is_collected_and_booked_without_any_budget_left(ask):
    with started(BatchBehaviour(still=True)) as server:
        first = ask(server, "a", "b", gives_up_s=2.0)
        server.go_on()
        second = ask(server, "a", "b", "c", budget_usd=0.0)
        sizes = server.batch_counts().sizes
    assert (first.meter.calls, first.meter.spent_usd) == (0, 0.0)
    assert [second.found[text].text for text in "ab"] == ["a", "b"]
    assert isinstance(second.found["c"], BudgetSpent)
    assert second.meter.spent_usd == pytest.approx(2 * USD)
    assert sizes == [2]


def test_what_is_collected_for_nobody_is_marked_and_counted_as_if_it_were_asked_for(ask):
    wanted = {
        "response_format": ResponseFormat("colours", {"type": "object"}),
        "tools": [{"type": "function", "function": {"name": "paint", "parameters": {}}}],
    }
    with started(BatchBehaviour(still=True, counts_tokens=False)) as server:
        ask(server, "a", "b", "no JSON", asked=wanted, gives_up_s=2.0)
        server.go_on()
        awaited = ask(server, "a", asked=wanted).found["a"]
        stored = ask(server, "b", asked=wanted)
    found = stored.found["b"]
    assert stored.meter.hits == 1
    assert found == replace(awaited, text="b")
    assert found.unheeded == ["response_format"]
    assert found.usage_source == "estimated"
    assert found.input_tokens > 0


def test_what_is_collected_for_nobody_is_kept_though_its_upload_is_gone(ask):
    with started(BatchBehaviour(still=True, statuses={"content": [404]})) as server:
        ask(server, "a", "b", gives_up_s=2.0)
        server.go_on()
        assert ask(server, "a").texts == {"a": "a"}
        stored = ask(server, "b")
        assert server.batch_counts().sizes == [2]
    assert (stored.texts, stored.meter.hits) == ({"b": "b"}, 1)


def test_what_another_process_collects_between_two_looks_comes_from_the_store_or_is_asked_again(ask):
    with started(BatchBehaviour(still=True, rows={"b": "500"})) as server, ThreadPoolExecutor() as pool:
        looks_seldom = pool.submit(ask, server, "a", "b", batch={"poll_s": 3600}, gives_up_s=30.0)
        while not server.batch_counts().calls.get("look"):
            time.sleep(0.02)
        server.go_on()
        looks_often = ask(server, "a", "b", gives_up_s=30.0)
        asked = looks_seldom.result()
        counts = server.batch_counts()
    assert asked.texts == looks_often.texts == {"a": "a", "b": "b"}
    assert set(counts.processed.values()) == {1}
    assert asked.meter.calls + looks_often.meter.calls == len(counts.processed) + 1  # the fault is one
    assert asked.meter.budget.spent_usd + looks_often.meter.budget.spent_usd == pytest.approx(2 * USD)


def test_a_batch_that_was_stored_but_not_taken_out_of_the_journal_costs_nothing(ask, tmp_path):
    with started(BatchBehaviour(still=True)) as server:
        ask(server, "a", "b", gives_up_s=2.0)
        [entry] = open_entries(tmp_path)
        content = entry.read_bytes()
        server.go_on()
        ask(server, "a", "b")
        entry.write_bytes(content)
        assert ask(server, "a", "b", "c").texts == {"a": "a", "b": "b", "c": "c"}
        counts = server.batch_counts()
    assert counts.sizes == [2, 1]
    assert set(counts.processed.values()) == {1}


def test_rows_of_requests_that_were_never_sent_are_counted_and_left_out(ask, capsys, tmp_path):
    with started(BatchBehaviour(strangers=4, rows={"b": "garbage"})) as server:
        assert ask(server, "a", "b").texts == {"a": "a", "b": "b"}
    told = capsys.readouterr().err
    assert (
        "batch_1: 1 of 2 answers collected; 4 rows of requests that were not in it left out; no result:"
        in told
    )


def test_separators_inside_an_answer_do_not_end_its_row(ask):
    with started(BatchBehaviour()) as server:
        text = "one\u2028two\u0085three\x0bfour\nfive"
        assert ask(server, text).texts == {text: text}


def test_a_refused_key_stops_the_run_and_is_in_no_message(ask, monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("MY_KEY", SECRET)
    with started(BatchBehaviour(statuses={"upload": [401]})) as server:
        said = problem(ask(server, "a", "b", key="MY_KEY"))
    assert "refuses the key in MY_KEY" in said
    assert SECRET not in said + capsys.readouterr().err
    assert all(SECRET not in path.read_text(encoding="utf-8") for path in open_entries(tmp_path))


def test_a_server_without_batches_is_named(ask):
    with started(BatchBehaviour(statuses={"upload": [404]})) as server:
        assert "has no batches" in problem(ask(server, "a"))


def test_an_address_where_nothing_listens_is_named(ask, unused_url):
    class Nowhere:
        url = unused_url

    assert "nothing answers" in problem(ask(Nowhere, "a", "b"))


@pytest.mark.parametrize("call", ["upload", "create", "look", "content"])
def test_a_fault_that_passes_costs_no_second_answer(call, ask):
    with started(BatchBehaviour(statuses={call: [503]})) as server:
        assert ask(server, "a", "b").texts == {"a": "a", "b": "b"}
        assert server.batch_counts().processed.keys()
        assert set(server.batch_counts().processed.values()) == {1}


def test_a_batch_that_was_made_but_never_told_of_is_found_again(ask, tmp_path):
    told = BatchBehaviour(hold="create after")
    with started(told) as server:
        assert ask(server, "a", "b", timeout_s=1.0).texts == {"a": "a", "b": "b"}
        counts = server.batch_counts()
    assert counts.sizes == [2]
    assert counts.calls["create"] == 1


def test_a_creation_that_comes_late_makes_no_second_batch(ask):
    with started(BatchBehaviour(hold="create before", held_s=2.5)) as server:
        assert ask(server, "a", "b", timeout_s=1.0).texts == {"a": "a", "b": "b"}
        counts = server.batch_counts()
    assert set(counts.processed.values()) == {1}
    assert len(counts.sizes) == 1


def test_an_unknown_batch_says_how_to_go_on(ask, tmp_path):
    with started(BatchBehaviour(statuses={"look": [404]})) as server:
        said = problem(ask(server, "a"))
    assert "does not give batch_1" in said
    [entry] = open_entries(tmp_path)
    assert str(entry) in said


def test_a_journal_entry_that_is_none_is_named(ask, tmp_path):
    with started(BatchBehaviour(still=True, statuses={"look": [404]})) as server:
        ask(server, "a")
        [entry] = open_entries(tmp_path)
        entry.write_text("{", encoding="utf-8")
        assert f"{entry}: is no entry of a batch" in problem(ask(server, "a"))


def test_the_journal_holds_keys_and_ids_and_no_text(ask, tmp_path):
    with started(BatchBehaviour(statuses={"look": [404]})) as server:
        ask(server, "a secret question")
    [entry] = open_entries(tmp_path)
    content = json.loads(entry.read_text(encoding="utf-8"))
    assert set(content) == {"tag", "keys", "planned_at", "file_id", "asked_at", "batch_id"}
    assert "secret" not in entry.read_text(encoding="utf-8")
    assert os.stat(entry).st_size < 600
