"""The openai kind against a real llama.cpp server, over HTTP on loopback."""

import asyncio
import math
from pathlib import Path

import msgspec
import pytest

from llmops.errors import WorldError
from llmops.models.catalog import open_model, parse_spec
from llmops.places import Places
from llmops.replies import Message, ResponseFormat

DEMO = Path(__file__).resolve().parents[2] / "models" / "demo-small.gguf"
CONTEXT = 512


@pytest.fixture(scope="module")
def url():
    if not DEMO.is_file():
        pytest.skip("models/demo-small.gguf is not there; `python -m training.train demo-small` makes it")
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(DEMO)
    params.verbosity = -1
    params.hostnames, params.port = ["127.0.0.1"], 0
    params.n_ctx, params.n_parallel = CONTEXT, 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.warmup = params.ui = params.fit_params = False
    server = xllamacpp.Server(params)
    yield f"{server.listening_address}/v1"
    del server


@pytest.fixture
def asking(url, run, tmp_path, request_of):
    """Ask the server each request in turn; returns the replies."""

    def ask(*asked, sampling=None, **more):
        async def work():
            raw = {"kind": "openai", "model": "demo", "base_url": url, "sampling": sampling or {}, **more}
            raw["sampling"].setdefault("max_tokens", 12)
            model = open_model("demo", parse_spec("demo", raw), Places(tmp_path))
            try:
                return [await model.ask(each) for each in asked or [request_of()]]
            finally:
                await model.close()

        return run(work())

    return ask


def spoken(request_of, *messages):
    return msgspec.structs.replace(request_of(), messages=list(messages))


def test_an_answer_tells_its_tokens_and_ends_by_itself(asking):
    (reply,) = asking()
    assert (reply.text, reply.finish_reason, reply.error) == (reply.text, "stop", None)
    assert reply.text.strip()
    assert reply.usage_source == "server"
    assert (reply.input_tokens > 0, 0 < reply.output_tokens <= 12) == (True, True)
    assert (reply.unheeded, reply.first_token_s, reply.tool_calls) == ([], None, [])


def test_a_stream_gives_the_answer_of_the_whole_with_usage_and_a_first_token(asking):
    (whole,), (streamed,) = asking(), asking(sampling={"stream": True})
    assert (streamed.text, streamed.finish_reason) == (whole.text, whole.finish_reason)
    assert (streamed.input_tokens, streamed.output_tokens) == (whole.input_tokens, whole.output_tokens)
    assert (streamed.usage_source, streamed.unheeded) == ("server", [])
    assert streamed.first_token_s > 0


def test_a_system_message_and_earlier_turns_reach_the_model(asking, request_of):
    alone = Message("user", "where is my parcel")
    system = Message("system", "You are terse.")
    turns = [Message("user", "hello"), Message("assistant", "hi"), alone]
    replies = asking(spoken(request_of, alone), spoken(request_of, system, alone), spoken(request_of, *turns))
    tokens = [reply.input_tokens for reply in replies]
    assert tokens[0] < min(tokens[1:])
    assert all(reply.error is None for reply in replies)


@pytest.mark.parametrize("stream", [False, True])
def test_logprobs_are_told_for_each_token_with_the_likeliest_beside(asking, stream):
    (reply,) = asking(sampling={"logprobs": True, "top_logprobs": 3, "stream": stream})
    assert reply.unheeded == []
    assert "".join(token.token for token in reply.logprobs).startswith(reply.text)
    for token in reply.logprobs:
        assert len(token.top_logprobs) == 3
        assert max(logprob for _, logprob in token.top_logprobs) == pytest.approx(token.logprob)  # T = 0
    assert reply.confidence == pytest.approx(math.exp(sum(token.logprob for token in reply.logprobs)))


def test_a_seed_decides_what_is_drawn(asking, request_of):
    asked = [request_of(f"where is my parcel number {n}") for n in range(6)]

    def drawn(seed):
        sampling = {"temperature": 2.0, "seed": seed}
        return [reply.text for reply in asking(*asked, sampling=sampling, extra={"cache_prompt": False})]

    assert drawn(1) == drawn(1)
    assert len({tuple(drawn(seed)) for seed in (1, 2, 3)}) > 1


def test_a_stop_text_ends_the_answer_before_it(asking):
    (whole,) = asking()
    stop = whole.text[len(whole.text) // 2 :]
    (cut,) = asking(sampling={"stop": [stop]})
    assert (cut.text, cut.finish_reason, cut.unheeded) == (whole.text.partition(stop)[0], "stop", [])


def test_a_cap_is_heeded_and_told(asking):
    (reply,) = asking(sampling={"max_tokens": 1})
    assert (reply.output_tokens, reply.finish_reason, reply.unheeded) == (1, "length", [])


SCHEMA = {
    "type": "object",
    "properties": {"team": {"enum": ["delivery", "returns"]}},
    "required": ["team"],
    "additionalProperties": False,
}


@pytest.mark.parametrize("stream", [False, True])
def test_a_schema_makes_a_model_answer_in_json_that_never_saw_any(asking, request_of, stream):
    wanted = request_of(response_format=ResponseFormat("answer", SCHEMA, strict=True))
    (reply,) = asking(wanted, sampling={"max_tokens": 200, "stream": stream})
    assert msgspec.json.decode(reply.text)["team"] in {"delivery", "returns"}
    assert reply.unheeded == []


def test_json_that_the_cap_cut_off_is_marked(asking, request_of):
    wanted = request_of(response_format=ResponseFormat("answer", SCHEMA, strict=True))
    (reply,) = asking(wanted, sampling={"max_tokens": 2})
    assert (reply.finish_reason, reply.unheeded) == ("length", ["response_format"])


@pytest.mark.parametrize("stream", [False, True])
def test_a_prompt_over_the_context_is_a_refusal(asking, request_of, stream):
    with pytest.raises(WorldError) as caught:
        asking(request_of("where is my parcel " * 800), sampling={"stream": stream})
    assert (caught.value.kind, caught.value.transient) == ("context_overflow", False)


def test_a_schema_that_the_server_cannot_read_is_a_refusal(asking, request_of):
    wanted = request_of(response_format=ResponseFormat("answer", {"type": "nothing"}))
    with pytest.raises(WorldError) as caught:
        asking(wanted)
    assert (caught.value.kind, caught.value.transient) == ("refused", False)


def test_many_requests_at_once_are_all_answered(url, run, tmp_path, request_of):
    async def work():
        raw = {
            "kind": "openai",
            "model": "demo",
            "base_url": url,
            "sampling": {"max_tokens": 8, "stream": True},
        }
        model = open_model("demo", parse_spec("demo", raw), Places(tmp_path))
        try:
            return await asyncio.gather(*(model.ask(request_of(f"parcel {n}")) for n in range(24)))
        finally:
            await model.close()

    replies = run(work())
    assert all(reply.text and reply.usage_source == "server" for reply in replies)
