"""The openai kind, at the wire."""

import asyncio
import gzip
import json
import math
import os
import time
from contextlib import asynccontextmanager

import msgspec
import openai
import pytest

from llmops.errors import UserError, WorldError
from llmops.models.batches.rows import ENDPOINT
from llmops.models.catalog import open_model, parse_spec
from llmops.models.meter import Meter
from llmops.models.protocol.address import NO_KEY, Address
from llmops.models.protocol.body import request_seed
from llmops.models.protocol.client import fault_of, open_client
from llmops.models.protocol.completions import read_completion
from llmops.models.protocol.kept import Kept
from llmops.models.protocol.proxy import proxy_of
from llmops.models.specs import OPENAI_URL
from llmops.models.stack import Limits, stacked
from llmops.models.store.store import open_store
from llmops.places import Places
from llmops.prices import Price, pricing
from llmops.replies import Message, ResponseFormat, ToolCall

SECRET = "sk-planted-0123456789"  # noqa: S105


def opened(url, tmp_path, **more):
    return open_model(
        "bot",
        parse_spec("bot", {"kind": "openai", "model": "m-1", "base_url": url, **more}),
        Places(tmp_path),
    )


async def asked_once(url, tmp_path, request, **more):
    """Return the reply of a model that is opened for it alone."""
    model = opened(url, tmp_path, **more)
    try:
        return await model.ask(request)
    finally:
        await model.close()


@pytest.fixture
def asking(serving, run, tmp_path, request_of):
    """Ask once a server that gives ``answer``; returns (reply, what reached the server)."""

    def ask(answer, **more):
        async def work():
            async with serving(lambda asked: answer) as server:
                model = opened(server.url, tmp_path, **more)
                try:
                    return await model.ask(request_of()), server.asked
                finally:
                    await model.close()

        return run(work())

    return ask


def test_a_reply_tells_text_usage_model_and_fingerprint(asking, wire):
    reply, _ = asking(wire.Answer(wire.completion("refund_status")))
    assert (reply.text, reply.finish_reason) == ("refund_status", "stop")
    assert (reply.input_tokens, reply.output_tokens) == (12, 3)
    assert reply.usage == {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}
    assert (reply.served_model, reply.fingerprint) == ("served-1", "fp-1")


def test_the_body_on_the_wire_is_the_one_in_the_key(serving, run, tmp_path, request_of, wire):
    async def work():
        async with serving(lambda asked: wire.Answer(wire.completion("x"))) as server:
            model = opened(server.url, tmp_path, sampling={"max_tokens": 7, "seed": 3, "stop": ["\n"]})
            request = request_of(repeat=2)
            await model.ask(request)
            await model.close()
            return server.asked[0], model.wire(request), request_seed(3, request)

    asked, body, seed = run(work())
    assert asked.path == "/v1/chat/completions"
    assert asked.body == body
    assert body == {
        "model": "m-1",
        "messages": [{"role": "user", "content": "where is my parcel"}],
        "temperature": 0.0,
        "top_p": 1.0,
        "max_tokens": 7,
        "seed": seed,
        "stop": ["\n"],
    }


def test_extra_is_merged_into_the_body_and_a_null_takes_a_field_out(asking, wire):
    _, asked = asking(wire.Answer(wire.completion("x")), extra={"top_k": 1, "temperature": None})
    assert asked[0].body["top_k"] == 1
    assert "temperature" not in asked[0].body


@pytest.mark.parametrize(
    ("url", "told", "field"),
    [
        ("https://api.openai.com/v1", None, "max_completion_tokens"),
        ("http://127.0.0.1:9/v1", None, "max_tokens"),
        ("http://127.0.0.1:9/v1", "max_completion_tokens", "max_completion_tokens"),
    ],
)
def test_the_answers_cap_goes_into_the_field_that_the_server_heeds(
    url, told, field, tmp_path, request_of, monkeypatch, run
):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    more = {"max_tokens_field": told} if told else {}

    async def work():
        model = opened(url, tmp_path, sampling={"max_tokens": 9}, **more)
        await model.close()
        return model.wire(request_of())

    assert run(work())[field] == 9


@pytest.mark.parametrize(
    "message",
    [
        {"content": "42", "reasoning": "17 + 25"},
        {"content": "42", "reasoning_content": "17 + 25"},
        {"content": "<think>17 + 25</think>\n\n42"},
        {"content": "17 + 25</think>42"},
        {"content": [{"type": "text", "text": "4"}, {"type": "text", "text": "2"}]},
        {"content": None, "refusal": "42"},
    ],
)
def test_the_answer_is_read_without_the_reasoning(message, asking, wire):
    reply, _ = asking(wire.Answer(wire.completion(None, message=message)))
    assert reply.text == "42"
    assert reply.reasoning == ("17 + 25" if "17" in str(message) else None)
    assert (reply.output_tokens, reply.usage_source) == (3, "server")


def test_a_thought_that_was_cut_short_leaves_an_empty_answer(asking, wire):
    reply, _ = asking(wire.Answer(wire.completion("<think>17 +", finish_reason="length")))
    assert (reply.text, reply.reasoning, reply.finish_reason) == ("", "17 +", "length")


def test_a_reply_without_usage_has_estimated_tokens_that_say_so(asking, wire):
    reply, _ = asking(wire.Answer(wire.completion("배송 조회", usage=None)))
    assert (reply.usage, reply.usage_source) == (None, "estimated")
    assert (reply.input_tokens, reply.output_tokens) == (math.ceil(18 / 4), math.ceil(13 / 4))


ZERO = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


@pytest.mark.parametrize(
    ("usage", "output"),
    [
        (ZERO, 4),
        ({**ZERO, "completion_tokens": 7}, 7),
        ({"prompt_tokens": 0}, 4),
        ({"prompt_tokens": True, "completion_tokens": -1}, 4),
        ({"prompt_tokens": 10**400}, 4),
    ],
    ids=["zeros", "output", "half", "none", "beyond"],
)
def test_a_prompt_of_no_tokens_or_of_no_number_was_not_counted_so_that_the_cost_is_unknown(
    usage, output, asking, wire
):
    reply, _ = asking(wire.Answer(wire.completion("배송 조회", usage=usage)))
    assert (reply.input_tokens, reply.output_tokens, reply.usage_source) == (
        math.ceil(18 / 4),
        output,
        "estimated",
    )
    assert reply.usage == usage
    own = Price(input_per_mtok_usd=1.0, output_per_mtok_usd=2.0)
    assert pricing(own, "m-1", None)(reply) is None
    assert pricing(own, "m-1", None)(read_completion(wire.completion("x", usage=usage))) is None


def test_an_answer_of_no_tokens_to_a_prompt_that_was_counted_is_the_servers_count(asking, wire):
    reply, _ = asking(wire.Answer(wire.completion("", usage={"prompt_tokens": 12, "completion_tokens": 0})))
    assert (reply.input_tokens, reply.output_tokens, reply.usage_source) == (12, 0, "server")


def test_a_filtered_reply_is_an_error_that_keeps_its_usage(asking, wire):
    reply, _ = asking(wire.Answer(wire.completion("", finish_reason="content_filter")))
    assert reply.error.kind == "content_filter"
    assert reply.input_tokens == 12


POLICY = {"code": "ResponsibleAIPolicyViolation"}
DEEP = b"[" * 100_000
OVERFLOW = "This model's maximum context length is 512 tokens"


@pytest.mark.parametrize(
    ("status", "body", "kind", "transient"),
    [
        (429, {"error": {"message": "slow down", "type": "requests", "code": None}}, "rate_limited", True),
        (500, {"error": {"code": 500, "message": "oh", "type": "server_error"}}, "server_error", True),
        (503, b"upstream is gone", "overloaded", True),
        (502, b"<html>bad gateway</html>", "server_error", True),
        (408, b"", "timeout", True),
        (409, {"detail": "busy"}, "server_error", True),
        (400, {"error": {"message": OVERFLOW, "code": "context_length_exceeded"}}, "context_overflow", False),
        (400, {"error": {"code": 400, "type": "exceed_context_size_error"}}, "context_overflow", False),
        (400, {"object": "error", "message": OVERFLOW, "code": 400}, "context_overflow", False),
        (200, {"error": OVERFLOW}, "context_overflow", False),
        (400, {"error": {"code": "content_filter", "message": "filtered"}}, "content_filter", False),
        (400, {"error": {"message": "x", "innererror": POLICY}}, "content_filter", False),
        (400, {"error": "'response_format.type' must be 'json_schema'"}, "refused", False),
        (422, {"detail": [{"loc": ["body"], "msg": "field required"}]}, "refused", False),
        (200, {"error": {"code": 503, "message": "loading"}}, "overloaded", True),
        (200, b"{\"choices\": [", "bad_reply", True),
        (200, [], "bad_reply", True),
        (200, {"choices": []}, "bad_reply", True),
        (200, {"choices": [{"message": "hello"}]}, "bad_reply", True),
        (200, b"", "bad_reply", True),
        (200, DEEP, "bad_reply", True),
        (500, DEEP, "server_error", True),
    ],
)  # fmt: skip
def test_each_shape_of_an_error_has_its_kind(status, body, kind, transient, asking, wire):
    with pytest.raises(WorldError) as caught:
        asking(wire.Answer(body, status=status))
    assert (caught.value.kind, caught.value.transient) == (kind, transient)


def test_the_servers_own_words_are_in_the_error(asking, wire):
    with pytest.raises(WorldError, match="field required"):
        asking(wire.Answer({"detail": [{"loc": ["body"], "msg": "field required"}]}, status=422))


@pytest.mark.parametrize("value", ["2", "Wed, 01 Jan 2098 00:00:00 GMT"])
def test_retry_after_is_read_as_seconds_or_as_a_date(value, asking, wire):
    with pytest.raises(WorldError) as caught:
        asking(wire.Answer({}, status=429, headers={"retry-after": value}))
    assert caught.value.retry_after_s == 2 if value == "2" else caught.value.retry_after_s > 1e9


def test_a_cut_body_and_a_closed_connection_are_transient(asking, wire):
    with pytest.raises(WorldError) as cut:
        asking(wire.Answer(b'{"choices"', claimed_length=500))
    with pytest.raises(WorldError) as closed:
        asking(None)
    assert (cut.value.transient, closed.value.transient) == (True, True)
    assert (cut.value.kind, closed.value.kind) == ("connection", "connection")


def test_a_server_that_is_too_slow_is_a_timeout(asking, wire):
    started = time.monotonic()
    with pytest.raises(WorldError) as caught:
        asking(wire.Answer(wire.completion("x"), delay_s=5.0), timeout_s=0.2)
    assert (caught.value.kind, caught.value.transient) == ("timeout", True)
    assert time.monotonic() - started < 3


def test_a_missing_key_names_its_variable(tmp_path, monkeypatch):
    monkeypatch.delenv("MY_KEY", raising=False)
    with pytest.raises(UserError, match=r"models\.bot: the environment variable MY_KEY is not set"):
        opened("http://127.0.0.1:9/v1", tmp_path, key="MY_KEY")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(UserError, match="OPENAI_API_KEY"):
        open_model("bot", parse_spec("bot", {"kind": "openai", "model": "m"}), Places(tmp_path))


def test_a_server_of_ones_own_needs_no_key_and_is_not_given_the_one_for_openai(asking, wire, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    _, asked = asking(wire.Answer(wire.completion("x")))
    assert "authorization" not in asked[0].headers


def test_a_key_is_sent_as_a_bearer(asking, wire, monkeypatch):
    monkeypatch.setenv("MY_KEY", f"{SECRET}\n")
    _, asked = asking(wire.Answer(wire.completion("x")), key="MY_KEY")
    assert asked[0].headers["authorization"] == f"Bearer {SECRET}"


@pytest.mark.parametrize("status", [401, 403, 400, 404, 429, 500])
def test_a_key_that_the_server_echoes_is_in_no_error(status, asking, wire, monkeypatch):
    monkeypatch.setenv("MY_KEY", SECRET)
    with pytest.raises((UserError, WorldError)) as caught:
        asking(
            wire.Answer({"error": {"message": f"Incorrect API key: {SECRET}"}}, status=status), key="MY_KEY"
        )
    assert SECRET not in str(caught.value) + repr(caught.value.__cause__)
    if status == 401:
        assert "MY_KEY" in str(caught.value)


def test_a_key_that_cannot_be_sent_is_refused_without_being_shown(tmp_path, monkeypatch):
    monkeypatch.setenv("MY_KEY", f"{SECRET}\nsecond line")
    with pytest.raises(UserError) as caught:
        opened("http://127.0.0.1:9/v1", tmp_path, key="MY_KEY")
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://me:hunter2@127.0.0.1:9/v1", "holds a password"),
        ("http://hunter2@127.0.0.1:9/v1", "holds a password"),
        ("htps://me:hunter2@127.0.0.1:9/v1", "holds a password"),
        ("http://me:hunter2@[bad/v1", "holds a password"),
        ("me:hunter2@127.0.0.1:9/v1", "is no address; must be like"),
        ("http://127.0.0.1:9/v1?api-key=hunter2", "has a query or a fragment, which may hold a key"),
        ("http://127.0.0.1:9/v1#hunter2", "has a query or a fragment, which may hold a key"),
        ("127.0.0.1:9/v1?api-key=hunter2", "is no address; must be like"),
    ],
)
def test_a_secret_in_the_address_is_refused_without_being_shown(url, said, tmp_path):
    with pytest.raises(UserError, match=f"base_url: {said}") as caught:
        opened(url, tmp_path)
    assert "hunter2" not in str(caught.value)


def test_an_unknown_model_and_a_forbidden_request_say_what_to_mend(asking, wire):
    for status, said in ((404, "knows no model 'm-1'"), (403, "refuses what is asked")):
        with pytest.raises(WorldError, match=said) as caught:
            asking(wire.Answer({"error": {"message": "no"}}, status=status))
        assert not caught.value.transient


def test_an_empty_account_ends_the_run(asking, wire):
    with pytest.raises(UserError, match="no credit left"):
        asking(wire.Answer({"error": {"message": "x", "code": "insufficient_quota"}}, status=429))


def test_an_address_without_a_scheme_is_refused(tmp_path):
    with pytest.raises(UserError, match="base_url: is 'localhost:8000'"):
        opened("localhost:8000", tmp_path)


def test_a_refused_connection_is_unreachable(tmp_path, run, request_of, unused_url):
    with pytest.raises(WorldError) as caught:
        run(asked_once(unused_url, tmp_path, request_of()))
    assert (caught.value.kind, caught.value.transient) == ("unreachable", True)


def test_a_server_that_takes_up_no_connection_is_unreachable_and_owes_nothing(
    tmp_path, run, request_of, silent_url
):
    async def work():
        store, meter = open_store(f"sqlite:///{tmp_path / 'store.db'}"), Meter()
        model = opened(silent_url, tmp_path, timeout_s=0.4)
        try:
            await stacked(model, store, meter, Limits(attempts=1)).ask(request_of())
        except UserError as problem:
            return str(problem), meter
        finally:
            store.close()
            await model.close()

    said, meter = run(work())
    assert "nothing answers at" in said
    assert (meter.unknown_calls, meter.spent_usd) == (0, 0.0)


def test_the_batch_client_calls_a_server_that_takes_up_no_connection_unreachable(run, silent_url):
    async def work():
        address = Address("bot", "m-1", silent_url, None, NO_KEY)
        async with open_client(address, timeout_s=0.2) as client:
            try:
                await client.files.list()
            except openai.APIError as problem:
                return fault_of(problem).kind

    assert run(work()) == "unreachable"


def test_1319_requests_go_through_the_whole_stack_and_again_from_the_store(
    serving, run, tmp_path, request_of, wire, monkeypatch
):
    monkeypatch.setenv("MY_KEY", SECRET)

    def answer(asked):
        return wire.Answer(wire.completion(asked.body["messages"][0]["content"][::-1]), delay_s=0.01)

    async def round_of(server, store):
        meter = Meter()
        model = opened(server.url, tmp_path, key="MY_KEY")
        stack = stacked(model, store, meter, Limits(concurrency=64))
        requests = [request_of(f"question {n}", example_id=f"e-{n}") for n in range(1319)]
        try:
            return await asyncio.gather(*(stack.ask(one) for one in requests)), meter
        finally:
            await model.close()

    async def work():
        async with serving(answer) as server:
            store = open_store(f"sqlite:///{tmp_path / 'store.db'}")
            first, paid = await round_of(server, store)
            second, free = await round_of(server, store)
            store.close()
            return first, second, paid, free, server

    first, second, paid, free, server = run(work())
    assert first == second
    assert [reply.text for reply in first] == [f"question {n}"[::-1] for n in range(1319)]
    assert len(server.asked) == 1319
    assert server.busiest <= 64
    assert (paid.calls, paid.hits, paid.errors) == (1319, 0, 0)
    assert (free.calls, free.hits) == (0, 1319)
    assert (paid.input_tokens, paid.output_tokens, paid.spent_usd) == (12 * 1319, 3 * 1319, None)
    for path in tmp_path.iterdir():
        assert SECRET.encode() not in path.read_bytes()
    assert os.environ["MY_KEY"] == SECRET


LOGPROBS = {"content": [{"token": "refund", "logprob": -0.25}, {"token": "_status", "logprob": -0.5}]}


def with_logprobs(wire, logprobs, text="refund_status"):
    body = wire.completion(text)
    body["choices"][0]["logprobs"] = logprobs
    return wire.Answer(body)


def test_a_confidence_is_the_probability_of_all_tokens(asking, wire):
    reply, asked = asking(with_logprobs(wire, LOGPROBS), sampling={"logprobs": True})
    assert asked[0].body["logprobs"] is True
    assert reply.confidence == pytest.approx(math.exp(-0.75))


def test_logprobs_are_not_asked_for_by_themselves(asking, wire):
    reply, asked = asking(wire.Answer(wire.completion("x")))
    assert "logprobs" not in asked[0].body
    assert reply.confidence is None


@pytest.mark.parametrize(
    "logprobs",
    [
        None,
        {},
        {"content": None},
        {"content": []},
        {"content": [{"token": "a"}]},
        {"content": [{"logprob": None}]},
        {"content": [{"logprob": 0.5}]},
        {"content": [*LOGPROBS["content"], {"token": "x", "logprob": -math.inf}]},
        {"content": [{"token": "x", "logprob": math.nan}]},
        {"content": [{"token": "x", "logprob": -9999.0}]},
        {"content": [{"token": "x", "logprob": -(10**400)}]},
        {"content": ["a"]},
        [],
    ],
    ids=str,
)
def test_a_server_that_sends_no_usable_logprobs_leaves_the_confidence_unknown(asking, wire, logprobs):
    reply, _ = asking(with_logprobs(wire, logprobs), sampling={"logprobs": True})
    assert (reply.text, reply.confidence) == ("refund_status", None)
    assert (reply.logprobs, reply.unheeded) == ([], ["logprobs"])


def test_a_token_that_was_not_chosen_is_left_out_where_its_probability_is_unknown(asking, wire):
    others = [{"token": token, "logprob": p} for token, p in (("b", -2.0), ("c", -math.inf), ("d", -9999))]
    told = {"content": [{"token": "a", "logprob": -0.5, "top_logprobs": others}]}
    reply, _ = asking(with_logprobs(wire, told), sampling={"logprobs": True, "top_logprobs": 3})
    assert [token.top_logprobs for token in reply.logprobs] == [[("b", -2.0)]]
    assert reply.confidence == pytest.approx(math.exp(-0.5))


def test_logprobs_of_reasoning_that_was_cut_off_are_not_the_answers(asking, wire):
    reply, _ = asking(with_logprobs(wire, LOGPROBS, "<think>hm</think>refund"), sampling={"logprobs": True})
    assert (reply.text, reply.confidence) == ("refund", None)
    assert [token.token for token in reply.logprobs] == ["refund", "_status"]


HALF = b'"\\ud83d"'


def test_half_a_surrogate_pair_in_an_answer_is_marked_and_the_answer_can_be_written(asking, wire):
    body = json.dumps(wire.completion("TEXT")).encode().replace(b'"TEXT"', HALF)
    reply, _ = asking(wire.Answer(body))
    assert (reply.text, reply.error) == ("\ufffd", None)
    assert msgspec.json.encode(reply)


def test_half_a_surrogate_pair_in_an_error_can_be_written(asking, wire):
    with pytest.raises(WorldError, match="\ufffd") as caught:
        asking(wire.Answer(b'{"error": {"message": ' + HALF + b"}}", status=400))
    assert str(caught.value).encode()


# what a server did not heed


def capped(wire, tokens):
    usage = {"prompt_tokens": 12, "completion_tokens": tokens, "total_tokens": 12 + tokens}
    return wire.Answer(wire.completion("a long answer", usage=usage))


@pytest.mark.parametrize(("tokens", "unheeded"), [(8, []), (9, ["max_tokens"])])
def test_an_answer_over_its_cap_is_kept_and_marked(tokens, unheeded, asking, wire):
    reply, _ = asking(capped(wire, tokens), sampling={"max_tokens": 8})
    assert (reply.text, reply.unheeded, reply.error) == ("a long answer", unheeded, None)


def test_an_estimate_does_not_say_that_a_cap_was_ignored(asking, wire):
    reply, _ = asking(wire.Answer(wire.completion("word " * 40, usage=None)), sampling={"max_tokens": 8})
    assert (reply.output_tokens, reply.unheeded) == (50, [])


def test_a_stop_text_in_an_answer_is_marked(asking, wire):
    reply, _ = asking(wire.Answer(wire.completion("a\nb")), sampling={"stop": ["\n"]})
    assert reply.unheeded == ["stop"]


SCHEMA = {
    "type": "object",
    "properties": {"team": {"enum": ["delivery", "returns"]}},
    "required": ["team"],
    "additionalProperties": False,
}


@pytest.fixture
def asking_for_json(serving, run, tmp_path, request_of, wire):
    def ask(text, schema=SCHEMA, **more):
        async def work():
            async with serving(lambda asked: wire.Answer(wire.completion(text, **more))) as server:
                model = opened(server.url, tmp_path)
                try:
                    wanted = ResponseFormat("answer", schema, strict=True)
                    return await model.ask(request_of(response_format=wanted)), server.asked
                finally:
                    await model.close()

        return run(work())

    return ask


def test_a_schema_is_sent_as_openai_takes_it(asking_for_json):
    reply, asked = asking_for_json('{"team": "returns"}')
    sent = {"name": "answer", "schema": SCHEMA, "strict": True}
    assert asked[0].body["response_format"] == {"type": "json_schema", "json_schema": sent}
    assert reply.unheeded == []


@pytest.mark.parametrize(
    "text", ["returns", '{"team": "sales"}', '```json\n{"team": "returns"}\n```', '{"team": ']
)
def test_an_answer_that_does_not_hold_to_the_schema_is_kept_and_marked(text, asking_for_json):
    reply, _ = asking_for_json(text)
    assert (reply.text, reply.unheeded, reply.error) == (text, ["response_format"], None)


def test_a_schema_that_cannot_be_applied_loses_no_answer(asking_for_json):
    reply, _ = asking_for_json('{"team": "returns"}', {"$ref": "https://example.com/away.json"})
    assert (reply.text, reply.unheeded) == ('{"team": "returns"}', [])


@pytest.mark.parametrize(("context", "kind"), [(13, None), (12, "context_overflow"), (None, None)])
def test_a_prompt_that_the_context_cannot_have_held_is_an_error(context, kind, asking, wire):
    reply, _ = asking(wire.Answer(wire.completion("garbage")), context=context)
    assert (reply.error and reply.error.kind) == kind
    assert reply.text == "garbage"


# tools and conversations


CALL = {"id": "c-1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "서울"}'}}


@pytest.mark.parametrize(
    ("message", "call_id"),
    [
        ({"content": None, "tool_calls": [CALL]}, "c-1"),
        ({"content": "", "tool_calls": [{**CALL, "id": None}]}, ""),
        ({"content": None, "function_call": CALL["function"]}, ""),
        (
            {
                "content": None,
                "tool_calls": [{"function": {"name": "weather", "arguments": {"city": "서울"}}}],
            },
            "",
        ),
    ],
)
def test_calls_are_read_from_each_form_that_servers_send(message, call_id, asking, wire):
    reply, _ = asking(wire.Answer(wire.completion(None, message=message, finish_reason="tool_calls")))
    assert reply.tool_calls == [ToolCall(id=call_id, name="weather", arguments='{"city": "서울"}')]
    assert (reply.text, reply.error, reply.confidence) == (None, None, None)


def test_neither_text_nor_calls_is_an_empty_reply(asking, wire):
    reply, _ = asking(wire.Answer(wire.completion(None, message={"content": None, "tool_calls": []})))
    assert reply.error.kind == "empty"


def test_calls_and_what_tools_answered_are_sent_as_openai_takes_them(tmp_path, run, request_of):
    said = [
        Message("user", "날씨?"),
        Message("assistant", "", [ToolCall("c-1", "weather", '{"city": "서울"}')]),
        Message("tool", "맑음", [], "c-1"),
    ]

    async def work():
        model = opened("http://127.0.0.1:9/v1", tmp_path)
        await model.close()
        return model.wire(msgspec.structs.replace(request_of(), messages=said))

    assert run(work())["messages"] == [
        {"role": "user", "content": "날씨?"},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "content": "맑음", "tool_call_id": "c-1"},
    ]


# where a key goes


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_so_that_the_key_stays(
    status, serving, run, wire, tmp_path, request_of, monkeypatch
):
    monkeypatch.setenv("MY_KEY", SECRET)

    async def work():
        async with serving(lambda asked: wire.Answer(wire.completion("stolen"))) as other:
            goal = other.url.replace("127.0.0.1", "localhost") + "/chat/completions?token=x"
            moved = wire.Answer({}, status=status, headers={"location": goal})
            async with serving(lambda asked: moved) as server:
                model = opened(server.url, tmp_path, key="MY_KEY")
                try:
                    await model.ask(request_of())
                except UserError as problem:
                    return str(problem), len(server.asked), len(other.asked)
                finally:
                    await model.close()

    said, asked, reached = run(work())
    assert (asked, reached) == (1, 0)
    assert "redirects to 'http://localhost:" in said
    assert "/v1/chat/completions', which is not followed" in said
    assert "token" not in said
    assert SECRET not in said


@pytest.mark.parametrize("location", ["http://[bad", "http://127.0.0.1:99999/v1", "//[", "http://:x/"])
def test_a_redirect_to_no_address_is_told(location, asking, wire):
    with pytest.raises(UserError, match="redirects to an address that is none, which is not followed"):
        asking(wire.Answer({}, status=302, headers={"location": location}))


@pytest.mark.parametrize("header", ["retry-after", "x-ratelimit-reset-requests"])
def test_a_time_that_no_clock_has_is_as_good_as_none(header, asking, wire):
    told = {"x-ratelimit-limit-requests": "9", "x-ratelimit-remaining-requests": "1"}
    when = {header: "Wed, 01 Jan 99999999999999999999 00:00:00 GMT"}
    with pytest.raises(WorldError) as caught:
        asking(wire.Answer({}, status=429, headers={**told, **when}))
    assert (caught.value.kind, caught.value.retry_after_s) == ("rate_limited", None)


def test_a_connection_is_used_again_and_one_that_breaks_off_meanwhile_is_one_call(
    serving, run, wire, tmp_path, request_of
):
    """The library under it would send such a request a second time by itself, which nobody would count."""
    answers = [wire.Answer(wire.completion("x")), wire.Answer(wire.completion("y")), None]

    async def work():
        async with serving(lambda asked: answers.pop(0)) as server:
            model = opened(server.url, tmp_path)
            try:
                texts = [(await model.ask(request_of())).text for _ in range(2)]
                with pytest.raises(WorldError) as caught:
                    await model.ask(request_of())
            finally:
                await model.close()
            return texts, caught.value.kind, len(server.asked), server.connections

    assert run(work()) == (["x", "y"], "connection", 3, 1)


def test_an_answer_may_be_packed_or_named_so_by_mistake(asking, wire):
    answer = json.dumps(wire.completion("x")).encode()
    for body, told in (
        (gzip.compress(answer[:9]) + gzip.compress(answer[9:]), "GZIP"),
        (answer, "utf-8"),
        (answer, "gzip"),
    ):
        reply, _ = asking(wire.Answer(body, headers={"content-encoding": told}))
        assert reply.text == "x"
    refusal = gzip.compress(json.dumps({"error": OVERFLOW}).encode())
    packed = wire.Answer(refusal, status=400, headers={"content-encoding": "gzip"})
    for stream in (False, True):
        with pytest.raises(WorldError, match="maximum context length"):
            asking(packed, sampling={"stream": stream})


def test_an_address_may_have_letters_of_any_language(serving, run, wire, tmp_path, request_of):
    async def work():
        async with serving(lambda asked: wire.Answer(wire.completion("x"))) as server:
            await asked_once(server.url.removesuffix("v1") + "나의 책/v1", tmp_path, request_of())
            return server.asked[0].path

    assert run(work()) == "/%EB%82%98%EC%9D%98%20%EC%B1%85/v1/chat/completions"
    with pytest.raises(
        UserError, match="letters that are not ASCII; write it as it is registered, with xn--"
    ):
        opened("http://예시.한국:8000/v1", tmp_path)


def test_a_host_that_can_be_none_is_no_fault_that_passes(run, tmp_path, request_of):
    with pytest.raises(WorldError, match="mend model or base_url") as caught:
        run(asked_once("http://my host/v1", tmp_path, request_of()))
    assert not caught.value.transient


@asynccontextmanager
async def saying(said):
    """A server that says the same to every request; gives its port and the heads that it read."""
    heads = []

    async def serve(reader, writer):
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(said)
        await writer.drain()
        writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield listener.sockets[0].getsockname()[1], heads
    finally:
        listener.close()


@pytest.mark.parametrize("stream", [False, True])
def test_a_connection_that_the_server_has_left_is_not_used(stream, run, wire, tmp_path, request_of):
    """It closes after each answer and does not say so; what is sent on such a connection would be lost."""
    content = json.dumps(wire.completion("x")).encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(content)}\r\n\r\n"

    async def work():
        async with saying(head.encode() + content) as (port, heads):
            model = opened(f"http://127.0.0.1:{port}/v1", tmp_path, sampling={"stream": stream})
            try:
                for _ in range(5):
                    texts = await asyncio.gather(*(model.ask(request_of()) for _ in range(4)))
                    assert [reply.text for reply in texts] == ["x"] * 4
                    await asyncio.sleep(0.02)
            finally:
                await model.close()
            return len(heads)

    assert run(work()) == 20


def test_the_first_request_reaches_the_server_before_the_others_look_it_up(
    serving, run, wire, tmp_path, request_of, monkeypatch
):
    seen = []
    note_open, note_sent = Kept.open, Kept.is_left
    monkeypatch.setattr(Kept, "open", lambda kept, socket: (seen.append("opens"), note_open(kept, socket))[1])
    monkeypatch.setattr(Kept, "is_left", lambda kept, end: (seen.append("sends"), note_sent(kept, end))[1])

    async def work():
        async with serving(lambda asked: wire.Answer(wire.completion("x"), delay_s=0.05)) as server:
            model = opened(server.url, tmp_path)
            try:
                await asyncio.gather(*(model.ask(request_of()) for _ in range(8)))
            finally:
                await model.close()

    run(work())
    assert seen[:3] == ["opens", "sends", "opens"]
    assert (seen.count("opens"), seen.count("sends")) == (8, 8)


@pytest.mark.parametrize("nobody", ["unused_url", "silent_url"])
def test_all_go_on_where_the_first_request_does_not_reach_the_server(
    nobody, run, tmp_path, request_of, request
):
    async def work():
        model = opened(request.getfixturevalue(nobody), tmp_path, timeout_s=1)
        try:
            return await asyncio.gather(*(model.ask(request_of()) for _ in range(8)), return_exceptions=True)
        finally:
            await model.close()

    assert {fault.kind for fault in run(work())} == {"unreachable"}


def test_the_headers_of_an_answer_in_between_are_not_those_of_the_answer(run, tmp_path, request_of):
    hints = b"HTTP/1.1 103 Early Hints\r\nretry-after: 9\r\n\r\n"
    refusal = b"HTTP/1.1 429 Too Many\r\ncontent-length: 0\r\n\r\n"

    async def work():
        async with saying(hints + refusal) as (port, _):
            await asked_once(f"http://127.0.0.1:{port}/v1", tmp_path, request_of())

    with pytest.raises(WorldError) as caught:
        run(work())
    assert (caught.value.kind, caught.value.retry_after_s) == ("rate_limited", None)


@pytest.fixture
def no_proxy(monkeypatch):
    """An environment that names no proxy."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.usefixtures("no_proxy")
def test_a_proxy_is_told_where_to_and_neither_the_key_nor_the_request(run, tmp_path, request_of, monkeypatch):
    monkeypatch.setenv("MY_KEY", SECRET)

    async def work():
        async with saying(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n") as (port, heads):
            monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
            with pytest.raises(WorldError) as caught:
                await asked_once("https://server.invalid/v1", tmp_path, request_of(), key="MY_KEY")
            return heads, caught.value

    (head,), fault = run(work())
    assert head.startswith("CONNECT server.invalid:443 HTTP/1.1")
    assert "authorization" not in head.lower()
    assert (fault.kind, fault.transient) == ("unreachable", True)


@pytest.mark.parametrize("variable", ["http_proxy", "ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize("scheme", ["http://", ""])
@pytest.mark.usefixtures("no_proxy")
def test_a_server_is_reached_through_the_proxy_that_the_environment_names(
    variable, scheme, serving, run, wire, tmp_path, request_of, monkeypatch
):
    async def work():
        async with serving(lambda asked: wire.Answer(wire.completion("hi"))) as proxy:
            monkeypatch.setenv(variable, scheme + proxy.url.removesuffix("/v1").removeprefix("http://"))
            model = opened("http://server.invalid/v1", tmp_path)
            try:
                return (await model.ask(request_of())).text, len(proxy.asked)
            finally:
                await model.close()

    assert run(work()) == ("hi", 1)


@pytest.mark.usefixtures("no_proxy")
def test_a_proxy_for_the_scheme_goes_before_the_one_for_all_and_an_exempt_host_before_both(monkeypatch):
    def proxy(host):
        return proxy_of(Address("bot", "m-1", f"http://{host}/v1", None, NO_KEY))

    monkeypatch.setenv("HTTPS_PROXY", "http://other.invalid:1")
    assert proxy("a.invalid") is None
    monkeypatch.setenv("all_proxy", "socks5h://all.invalid:1")
    monkeypatch.setenv("http_proxy", "http://own.invalid:1")
    monkeypatch.setenv("no_proxy", "b.invalid")
    assert (proxy("a.invalid"), proxy("b.invalid:8000")) == ("http://own.invalid:1", None)


@pytest.mark.parametrize("mode", ["direct", "batch"])
@pytest.mark.usefixtures("no_proxy")
def test_a_socks_proxy_is_refused_without_being_shown(mode, tmp_path, run, request_of, monkeypatch):
    monkeypatch.setenv("ALL_PROXY", "socks5://me:hunter2@127.0.0.1:9")

    async def work():
        model = opened("http://server.invalid/v1", tmp_path, mode=mode)
        try:
            await model.ask(request_of())
        finally:
            await model.close()

    with pytest.raises(
        UserError, match=r"set HTTP_PROXY to one that is, or add server\.invalid to NO_PROXY"
    ) as caught:
        run(work())
    assert "hunter2" not in str(caught.value)


@pytest.mark.usefixtures("no_proxy")
def test_what_the_environment_holds_for_openai_goes_to_openai_alone(serving, run, wire, monkeypatch):
    monkeypatch.setenv("OPENAI_ORG_ID", "org-1")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-1")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Mine: 1\nAuthorization: Bearer other")
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,api.openai.com")

    async def work():
        async with serving(lambda asked: wire.Answer({"data": []})) as server:
            async with open_client(Address("bot", "m-1", server.url, "K", SECRET), 5.0) as client:
                await client.batches.create(input_file_id="f", endpoint=ENDPOINT, completion_window="24h")
            return server.asked[0].headers

    sent = run(work())
    assert sent["authorization"] == f"Bearer {SECRET}"
    assert not {"openai-organization", "openai-project", "x-mine"} & set(sent)
    theirs = open_client(Address("bot", "m-1", OPENAI_URL, "K", SECRET), 5.0).default_headers
    assert (theirs["OpenAI-Organization"], theirs["OpenAI-Project"], theirs["X-Mine"]) == (
        "org-1",
        "proj-1",
        "1",
    )


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.com/v1",
        "//example.com",
        "unix:/run/x",
        "http://[bad",
        "http://h:99999",
    ],
)
def test_an_address_that_is_not_http_is_refused(url, tmp_path):
    with pytest.raises(UserError, match="base_url: is"):
        opened(url, tmp_path)


@pytest.mark.parametrize(
    "extra",
    [
        {"n": 2}, {"n": None}, {"stream": True}, {"messages": []}, {"max_completion_tokens": 16_000},
        {"max_tokens": 16_000}, {"max_tokens": None},
    ],
    ids=str,
)  # fmt: skip
def test_extra_cannot_change_how_many_answers_come_or_how_or_how_long_they_may_be(extra, tmp_path):
    with pytest.raises(UserError, match=rf"models: bot: extra: {next(iter(extra))}: cannot be set here"):
        opened("http://127.0.0.1:9/v1", tmp_path, extra=extra)


def test_a_cap_in_extra_is_told_where_it_belongs(tmp_path):
    with pytest.raises(UserError, match=r"set sampling\.max_tokens, and max_tokens_field where the server"):
        opened("http://127.0.0.1:9/v1", tmp_path, extra={"max_completion_tokens": 9})


@pytest.mark.parametrize(
    ("sampling", "message"),
    [({"top_logprobs": 3}, "needs logprobs"), ({"logprobs": True, "top_logprobs": 21}, "must be 0 to 20")],
    ids=str,
)
def test_top_logprobs_have_a_range_and_need_logprobs(sampling, message, tmp_path):
    with pytest.raises(UserError, match=message):
        opened("http://127.0.0.1:9/v1", tmp_path, sampling=sampling)


def test_a_function_alone_is_sent_as_a_tool(tmp_path, run, request_of):
    bare = {"name": "weather", "parameters": {"type": "object"}}
    whole = {"type": "function", "function": bare}

    async def work():
        model = opened("http://127.0.0.1:9/v1", tmp_path)
        await model.close()
        return model.wire(request_of(tools=[bare, whole]))

    assert run(work())["tools"] == [whole, whole]
