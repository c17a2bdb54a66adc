"""Streamed answers, from a server that sends them piece by piece."""

import asyncio
import json
from contextlib import asynccontextmanager

import msgspec
import pytest
from msgspec.structs import replace

from llmops.errors import WorldError
from llmops.models.catalog import open_model, parse_spec
from llmops.models.protocol.streams import added_up, events
from llmops.places import Places
from llmops.replies import ToolCall

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\nconnection: close\r\n\r\n"
USAGE = {"prompt_tokens": 7, "completion_tokens": 4, "total_tokens": 11}


def delta(finish_reason=None, **said):
    return {"model": "m-1", "choices": [{"index": 0, "delta": said, "finish_reason": finish_reason}]}


def event(chunk):
    return f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n".encode()


DONE = b"data: [DONE]\n\n"
DEEP = b"[" * 100_000
WHOLE = [
    event(delta(role="assistant", content="")),
    event(delta(content="배송")),
    event(delta(content=" 조회")),
    event(delta("stop")),
    event({"model": "m-1", "choices": [], "usage": USAGE}),
    DONE,
]


@asynccontextmanager
async def streaming(pieces, pause_s=0.0):
    """A server that sends the pieces with a pause before each."""
    asked, ended = [], asyncio.Event()

    async def serve(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
        asked.append(json.loads(await reader.readexactly(int(length.split(b":")[1]))))
        try:
            writer.write(HEAD)
            for piece in pieces:
                await asyncio.sleep(pause_s)
                writer.write(piece)
                await writer.drain()
        except ConnectionError:
            pass  # the client went away
        finally:
            writer.close()
            ended.set()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/v1", asked
    finally:
        await ended.wait()
        listener.close()


@pytest.fixture
def asking(run, tmp_path, request_of):
    """Ask a server that streams the pieces; returns (reply, the bodies that were asked)."""

    def ask(pieces, pause_s=0.0, **more):
        async def work():
            async with streaming(pieces, pause_s) as (url, asked):
                raw = {"kind": "openai", "model": "m-1", "base_url": url, "sampling": {"stream": True}}
                model = open_model("bot", parse_spec("bot", {**raw, **more}), Places(tmp_path))
                try:
                    return await model.ask(request_of()), asked
                finally:
                    await model.close()

        return run(work())

    return ask


def test_a_stream_is_the_answer_that_its_chunks_add_up_to(asking):
    reply, asked = asking(WHOLE)
    assert (asked[0]["stream"], asked[0]["stream_options"]) == (True, {"include_usage": True})
    assert (reply.text, reply.finish_reason, reply.served_model) == ("배송 조회", "stop", "m-1")
    assert (reply.input_tokens, reply.output_tokens, reply.usage_source) == (7, 4, "server")
    assert (reply.usage, reply.unheeded, reply.error) == (USAGE, [], None)


def test_the_first_token_is_timed_from_the_request_to_the_first_text(asking):
    reply, _ = asking(WHOLE, pause_s=0.05)
    assert 0.1 <= reply.first_token_s < 0.3  # two of the six pauses: the first chunk holds no text


def test_a_stream_may_be_cut_into_bytes_anywhere(asking):
    whole = b"".join(WHOLE)
    reply, _ = asking([whole[start : start + 3] for start in range(0, len(whole), 3)])
    assert reply.text == "배송 조회"


def test_reasoning_is_streamed_apart_from_the_answer(asking):
    pieces = [event(delta(reasoning_content="17 + ")), event(delta(reasoning_content="25"))]
    reply, _ = asking([*pieces, event(delta("stop", content="42")), DONE])
    assert (reply.reasoning, reply.text) == ("17 + 25", "42")
    tagged, _ = asking([event(delta(content="<think>17 +")), event(delta("stop", content=" 25</think>42"))])
    assert (tagged.reasoning, tagged.text) == ("17 + 25", "42")


def test_the_text_of_a_stream_may_come_as_parts(asking):
    parts = [
        [{"type": "text", "text": "배송"}],
        [],
        [{"type": "text", "text": " 조"}, {"text": "회"}],
        None,
        " 중",
    ]
    reply, _ = asking([*(event(delta(content=part)) for part in parts), event(delta("stop")), DONE])
    assert reply.text == "배송 조회 중"


def test_calls_are_put_together_by_their_index(asking):
    def call(index, **function):
        return {"index": index, "function": function}

    begun = [
        {"id": "a", **call(0, name="weather", arguments="")},
        {"id": "b", **call(1, name="time", arguments="")},
    ]
    pieces = [
        event(delta(tool_calls=begun)),
        event(delta(tool_calls=[call(1, arguments="{}")])),
        event(delta(tool_calls=[call(0, arguments='{"city":')])),
        event(delta("tool_calls", tool_calls=[call(0, arguments=' "서울"}')])),
        DONE,
    ]
    reply, _ = asking(pieces)
    weather = ToolCall(id="a", name="weather", arguments='{"city": "서울"}')
    assert reply.tool_calls == [weather, ToolCall(id="b", name="time", arguments="{}")]
    assert (reply.text, reply.error) == (None, None)


def piece(name=None, arguments="", **more):
    return {**more, "function": {"name": name, "arguments": arguments}}


A, B = ToolCall(id="1", name="a", arguments="{}"), ToolCall(id="2", name="b", arguments='{"x": 1}')
A_WHOLE, B_WHOLE = piece("a", "{}", id="1"), piece("b", '{"x": 1}', id="2")


@pytest.mark.parametrize(
    ("chunks", "calls"),
    [
        ([[A_WHOLE], [B_WHOLE]], [A, B]),
        ([[A_WHOLE, B_WHOLE]], [A, B]),
        ([[{**A_WHOLE, "index": None}], [{**B_WHOLE, "index": None}]], [A, B]),
        ([[{**A_WHOLE, "index": 0}], [{**B_WHOLE, "index": 0}]], [A, B]),
        ([[{**A_WHOLE, "index": None}], [{**B_WHOLE, "index": 1}]], [A, B]),
        ([[{**B_WHOLE, "index": 1}], [{**A_WHOLE, "index": 0}]], [A, B]),
        ([[piece("a", id="1")], [piece(arguments="{")], [piece(arguments="}")], [B_WHOLE]], [A, B]),
        ([[piece("a", id="1")], [piece("a", "{", id="1")], [piece("a", "}", id="1")]], [A]),
        ([[piece("a", id="1"), piece("b", id="2")], [piece(arguments="{}"), piece(arguments='{"x": 1}')]], [A, B]),
        ([[piece("a", id="1", index=0)], [piece(arguments="{}", id="other", index=0)]], [A]),
        ([[piece("a", {}, id="1")], [piece("b", {"x": 1}, id="2")]], [A, B]),
        ([[piece("a", "{}")], [piece("a", "{}")]], [replace(A, id="")] * 2),
    ],
)  # fmt: skip
def test_calls_are_told_apart_however_a_server_numbers_them(chunks, calls, asking):
    reply, _ = asking(
        [*(event(delta(tool_calls=chunk)) for chunk in chunks), event(delta("tool_calls")), DONE]
    )
    assert reply.tool_calls == calls


def test_logprobs_are_streamed_with_the_tokens(asking):
    chunk = delta("stop", content="42")
    chunk["choices"][0]["logprobs"] = {
        "content": [{"token": "42", "logprob": -0.5, "top_logprobs": [{"token": "42", "logprob": -0.5}]}]
    }
    reply, _ = asking([event(chunk), DONE], sampling={"stream": True, "logprobs": True})
    assert [(t.token, t.logprob, t.top_logprobs) for t in reply.logprobs] == [("42", -0.5, [("42", -0.5)])]


def test_a_stream_without_usage_has_estimated_tokens(asking):
    reply, _ = asking([event(delta("stop", content="refund_status")), DONE])
    assert (reply.usage_source, reply.output_tokens) == ("estimated", 4)


OVERFLOW = {"code": 400, "message": "the request exceeds the available context size"}


@pytest.mark.parametrize(
    ("piece", "kind"),
    [
        (event({"error": OVERFLOW}), "context_overflow"),
        (f"error: {json.dumps(OVERFLOW)}\n\n".encode(), "context_overflow"),
        (b'event: error\ndata: {"message": "the server is overloaded", "code": 503}\n\n', "overloaded"),
        (b"event: error\ndata: out of memory\n\n", "server_error"),
        (event({"error": {"code": 429, "message": "slow down"}}), "rate_limited"),
        (b"data: <html>\n\n", "bad_reply"),
        (event([1]), "bad_reply"),
        (b"data: " + DEEP + b"\n\n", "bad_reply"),
        (b'data: {"usage": ' + b'{"a":' * 600 + b"1" + b"}" * 601 + b"\n\n" + DONE, "bad_reply"),
        (b"event: error\ndata: " + DEEP + b"\n\n", "server_error"),
        (event({"choices": ["x"]}), "bad_reply"),
        (event(delta(content=7)), "bad_reply"),
        (event(delta(tool_calls=["x"])), "bad_reply"),
        (event(delta(tool_calls=[{"function": {"name": 3}}])), "bad_reply"),
        (event(delta(content=["x"])), "bad_reply"),
    ],
)
def test_an_error_in_a_stream_that_began_well_is_an_error(piece, kind, asking):
    with pytest.raises(WorldError) as caught:
        asking([WHOLE[1], piece])
    assert caught.value.kind == kind


@pytest.mark.parametrize("pieces", [[], WHOLE[:2], [b": ping\n\n"]], ids=["nothing", "half", "comment"])
def test_a_stream_that_ends_early_is_no_answer(pieces, asking):
    with pytest.raises(WorldError) as caught:
        asking(pieces)
    assert (caught.value.kind, caught.value.transient) == ("connection", True)


def test_a_stream_that_never_ends_is_timed_out(asking):
    with pytest.raises(WorldError) as caught:
        asking([WHOLE[1]] * 400, pause_s=0.05, timeout_s=0.3)
    assert (caught.value.kind, caught.value.transient) == ("timeout", True)


def test_a_server_that_does_not_stream_is_read_as_a_whole_and_marked(
    serving, run, wire, tmp_path, request_of
):
    async def work():
        async with serving(lambda asked: wire.Answer(wire.completion("x"))) as server:
            raw = {"kind": "openai", "model": "m", "base_url": server.url, "sampling": {"stream": True}}
            model = open_model("bot", parse_spec("bot", raw), Places(tmp_path))
            try:
                return await model.ask(request_of())
            finally:
                await model.close()

    reply = run(work())
    assert (reply.text, reply.first_token_s, reply.unheeded) == ("x", None, ["stream"])


async def _from(*pieces):
    for piece in pieces:
        yield piece


@pytest.mark.parametrize("separator", ["\u2028", "\x85", "\x0b", "\x1c"])
def test_a_character_that_ends_lines_elsewhere_ends_no_event(separator, run):
    chunk = event(delta("stop", content=f"a{separator}b"))
    whole = run(added_up(_from(chunk), lambda: 1.0))
    assert whole.body["choices"][0]["message"]["content"] == f"a{separator}b"


def test_an_event_may_have_several_lines_and_end_with_carriage_returns(run):
    async def work():
        sent = _from(b": hi\r\nevent: x\r\ndata: a\r\n", b"data:b\r\n\r\nid: 3\r\n\r\ndata: last")
        return [tuple(each) async for each in events(sent)]

    assert run(work()) == [("x", "a\nb"), ("", "last")]


@pytest.mark.parametrize(
    ("pieces", "text"),
    [(["\\ud83d", "\\ude00"], "😀"), (["a\\ud83d", "b"], "a\ufffdb")],
    ids=["pair", "half"],
)
def test_halves_of_a_surrogate_pair_are_joined_and_a_lone_one_is_marked(pieces, text, asking):
    sent = [event(delta(content="?")).replace(b"?", piece.encode()) for piece in pieces]
    reply, _ = asking([*sent, event(delta("stop")), DONE])
    assert reply.text == text
    assert msgspec.json.encode(reply)


def test_half_a_surrogate_pair_in_a_streams_error_can_be_written(asking):
    with pytest.raises(WorldError, match="\ufffd is full") as caught:
        asking([b'event: error\ndata: {"message": "\\ud83d is full", "code": 503}\n\n'])
    assert str(caught.value).encode()
