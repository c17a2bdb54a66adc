"""Choices weighed by the llamacpp kind, against what the same engine tells of its whole vocabulary."""

import asyncio
import json
import math
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest
import xllamacpp

from llmops.errors import UserError, WorldError
from llmops.models.catalog import hold_to_weighing, open_model, parse_spec
from llmops.models.likelihood import choices_reply, continuation
from llmops.models.meter import Meter
from llmops.models.model import request_key
from llmops.models.stack import Limits, stacked
from llmops.models.store.store import open_store
from llmops.places import Places

DEMO = Path(__file__).resolve().parents[2] / "models" / "demo-small.gguf"
LABELS = ["track_order", "not_delivered", "out_of_scope", "change_order", "change_address"]
QUESTIONS = [
    "where is my parcel",
    "환불 언제 되나요?",
    "CHANGE my adress pls",
    "what is the weather",
    "배송 조회",
]
VOCABULARY = 4096


@pytest.fixture
def root(tmp_path):
    (tmp_path / "demo.gguf").symlink_to(DEMO)
    return tmp_path


def opened(root, **more):
    raw = {"kind": "llamacpp", "file": "demo.gguf", "sampling": {"max_tokens": 12}, **more}
    return open_model("demo", parse_spec("demo", raw), Places(root))


def untimed(reply):
    return msgspec.structs.replace(reply, latency_s=None)


@pytest.fixture
def asking(root, run, request_of):
    def ask(questions, choices=LABELS, **more):
        async def work():
            model = opened(root, **more)
            try:
                asked = (request_of(question, choices=choices) for question in questions)
                return await asyncio.gather(*map(model.ask, asked))
            finally:
                await model.close()

        return run(work())

    return ask


class Stepping:
    """The same file in an engine of its own, asked for its whole vocabulary token by token."""

    def __init__(self):
        params = xllamacpp.CommonParams()
        params.model.path, params.verbosity = str(DEMO), -1
        params.hostnames, params.port = ["127.0.0.1"], 0
        params.n_ctx, params.n_parallel, params.cpuparams.n_threads = 512, 1, 1
        self.engine = xllamacpp.Server(params)
        self.host = urlsplit(self.engine.listening_address).netloc

    def post(self, path, body):
        connection = HTTPConnection(self.host)
        connection.request("POST", path, json.dumps(body), {"content-type": "application/json"})
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return answer

    def logprobs(self, question, choice):
        """Return the log-probability of each of the choice's tokens, and each place's total probability."""
        messages = [{"role": "user", "content": question}]
        prompt = self.post("/apply-template", {"messages": messages})["prompt"]
        given = self.post("/tokenize", {"content": prompt, "add_special": True, "parse_special": True})
        tokens, found, totals = given["tokens"], [], []
        for token in self.post("/tokenize", {"content": choice})["tokens"]:
            body = {"prompt": tokens, "n_predict": 1, "n_probs": VOCABULARY, "cache_prompt": False}
            place = self.engine.handle_completions(body)["choices"][0]["logprobs"]["content"][0]
            known = {each["id"]: each["logprob"] for each in place["top_logprobs"]}
            found.append(known[token])
            totals.append(math.fsum(map(math.exp, known.values())))
            tokens = [*tokens, token]
        return found, totals


def test_a_sum_is_that_of_the_tokens_one_by_one_in_the_whole_vocabulary(asking):
    stepping = Stepping()
    choices = [*LABELS, "환불", "a choice that it never wrote: 42!"]
    for question, reply in zip(QUESTIONS[:3], asking(QUESTIONS[:3], choices), strict=True):
        for n, choice in enumerate(choices):
            found, totals = stepping.logprobs(question, choice)
            assert totals == pytest.approx([1.0] * len(totals), abs=1e-4)
            assert reply.choice_logprobs.tokens[n] == len(found)
            assert reply.choice_logprobs.sums[n] == pytest.approx(math.fsum(found), abs=1e-4)


def test_no_choice_is_likelier_than_the_one_that_is_written_greedily_token_by_token(asking):
    written = asking(QUESTIONS, [])
    labels = sorted({*LABELS, *(reply.text for reply in written)})
    weighed = asking(QUESTIONS, labels)
    assert [reply.text for reply in weighed] == [reply.text for reply in written]


def test_what_is_weighed_rests_on_no_slot_order_or_neighbour(asking):
    alone = asking(QUESTIONS, slots=1)
    crowded = asking(QUESTIONS[::-1], slots=3)[::-1]
    assert [untimed(reply) for reply in alone] == [untimed(reply) for reply in crowded]


def test_a_choice_weighs_the_same_wherever_it_stands(asking):
    forward = asking(QUESTIONS)
    backward = asking(QUESTIONS, LABELS[::-1])
    for one, other in zip(forward, backward, strict=True):
        assert one.choice_logprobs.sums == other.choice_logprobs.sums[::-1]


def test_a_reply_counts_the_prompt_once_and_every_token_of_the_choices(asking):
    [weighed], [written] = asking(QUESTIONS[:1]), asking(QUESTIONS[:1], [])
    assert weighed.input_tokens == written.input_tokens
    assert weighed.output_tokens == sum(weighed.choice_logprobs.tokens)
    assert weighed.usage["total_tokens"] == weighed.input_tokens + weighed.output_tokens
    assert weighed.choice_logprobs.bytes == [len(label) for label in LABELS]
    assert weighed.text in LABELS


def test_a_prompt_that_leaves_no_room_for_a_choice_is_a_refusal(asking):
    with pytest.raises(WorldError) as whole:
        asking(["where is my parcel " * 400], context=128)
    with pytest.raises(WorldError, match="do not fit the context") as part:
        asking(["where"], ["no " * 600], context=128)
    assert {whole.value.kind, part.value.kind} == {"context_overflow"}
    assert not whole.value.transient
    assert not part.value.transient


def test_what_is_weighed_is_in_the_key_and_what_is_only_for_writing_is_not_sent(root, request_of):
    model = opened(root)
    keys = {request_key(model, request_of(choices=each)) for each in ([], LABELS, LABELS[:2], LABELS[::-1])}
    assert len(keys) == 4
    assert set(model.wire(request_of(choices=LABELS))) == {"messages", "choices"}


def test_weighed_choices_are_stored_and_booked(root, run, request_of):
    meter = Meter()
    store = open_store(f"sqlite:///{root / 'store.db'}")

    async def work():
        model = opened(root, price={"input_per_mtok_usd": 1.0, "output_per_mtok_usd": 2.0})
        ask = stacked(model, store, meter, Limits()).ask
        try:
            return [await ask(request_of(choices=LABELS)) for _ in range(2)]
        finally:
            await model.close()

    first, second = run(work())
    store.close()
    assert first == second
    assert (meter.calls, meter.hits) == (1, 1)
    assert (meter.input_tokens, meter.output_tokens) == (first.input_tokens, first.output_tokens)
    assert first.cost_usd == pytest.approx((first.input_tokens + 2 * first.output_tokens) / 1e6)
    assert first.latency_s > 0


def test_the_confidence_is_the_share_of_the_likeliest():
    reply = choices_reply(["a", "b", "c"], [[-1.0, -1.0], [-1.0], [-3.0]], input_tokens=5)
    shares = [math.exp(-2), math.exp(-1), math.exp(-3)]
    assert (reply.text, reply.choice_logprobs.sums) == ("b", [-2.0, -1.0, -3.0])
    assert reply.confidence == pytest.approx(shares[1] / sum(shares))
    assert choices_reply(["a", "b"], [[-900.0], [-2000.0]], 5).confidence == 1.0


def test_a_choice_that_would_join_the_prompts_last_token_keeps_its_own():
    assert continuation([1, 2], [1, 2, 3, 4], [9]) == [3, 4]
    assert continuation([1, 2], [1, 7, 4], [9]) == [9]
    with pytest.raises(WorldError, match="without any token"):
        continuation([1, 2], [1, 2], [9])


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ({"kind": "openai", "model": "gpt"}, "tells log-probabilities of what it writes only"),
        ({"kind": "recorded", "file": "data/a.jsonl", "answer": "text"}, "holds written answers"),
        ({"kind": "python", "file": "apps/a.py", "function": "answer"}, "gives an answer"),
    ],
)
def test_a_model_that_cannot_weigh_is_told_with_what_would_do(raw, why):
    with pytest.raises(UserError) as refused:
        hold_to_weighing({"m": parse_spec("m", raw)}, "here")
    assert str(refused.value).startswith(f"here: 'm' is of kind {raw['kind']!r}, which {why}")
    assert "take a model of kind llamacpp or transformers, or the task 'choice'" in str(refused.value)
    assert "\n" not in str(refused.value)
