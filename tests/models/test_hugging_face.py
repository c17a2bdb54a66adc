"""The transformers kind, with a random Llama of a few thousand parameters."""

import importlib.util
import os
from contextlib import closing

import msgspec
import pytest

from llmops.errors import UserError, WorldError
from llmops.models.catalog import open_model, parse_spec
from llmops.models.hugging_face import wire
from llmops.models.meter import Meter
from llmops.models.model import request_key
from llmops.models.stack import Limits, stacked
from llmops.models.store.store import open_store
from llmops.places import Places
from llmops.replies import ResponseFormat

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # read when the hub is imported

INSTALLED = all(importlib.util.find_spec(name) for name in ("torch", "transformers", "tokenizers"))
needs_it = pytest.mark.skipif(not INSTALLED, reason="torch and transformers are not installed (llmops[hf])")


@pytest.mark.skipif(INSTALLED, reason="torch and transformers are installed")
def test_a_missing_package_is_told_with_what_installs_it(tmp_path):
    spec = parse_spec("tiny", {"kind": "transformers", "model": "tiny"})
    with pytest.raises(UserError, match=r"kind 'transformers' is not installed; `pip install llmops\[hf\]`"):
        open_model("tiny", spec, Places(tmp_path))


def test_a_schema_that_answers_are_held_against_is_in_the_key_where_there_is_one(request_of):
    wanted = ResponseFormat("colours", {"type": "object"})
    plain, held = wire(request_of()), wire(request_of(response_format=wanted))
    assert set(plain) == {"messages", "tools"}
    assert held == {**plain, "response_format": msgspec.to_builtins(wanted)}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    import tokenizers
    import torch
    import transformers

    folder = tmp_path_factory.mktemp("project")
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    words = {token: number for number, token in enumerate(["<|bos|>", "<|eos|>", *alphabet])}
    inner = tokenizers.Tokenizer(tokenizers.models.BPE(words, []))
    inner.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = tokenizers.decoders.ByteLevel()
    ends = {"bos_token": "<|bos|>", "eos_token": "<|eos|>"}
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=inner, **ends)
    tokenizer.chat_template = "{% for m in messages %}{{ m['role'] + ':' + m['content'] + '\n' }}{% endfor %}"
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=len(words), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=2, max_position_embeddings=96, bos_token_id=0, eos_token_id=1,
    )  # fmt: skip
    transformers.LlamaForCausalLM(config).save_pretrained(folder / "tiny")
    tokenizer.save_pretrained(folder / "tiny")
    return folder


def opened(root, **more):
    return open_model(
        "tiny", parse_spec("tiny", {"kind": "transformers", "model": "tiny", **more}), Places(root)
    )


@pytest.fixture
def asking(root, run, request_of):
    def ask(question="hi", **more):
        async def work():
            model = opened(root, **more)
            try:
                return await model.ask(request_of(question))
            finally:
                await model.close()

        return run(work())

    return ask


@needs_it
def test_an_answer_tells_its_tokens_and_why_it_ended(asking):
    reply = asking(sampling={"max_tokens": 5})
    assert (reply.input_tokens, reply.output_tokens, reply.finish_reason) == (len("user:hi\n"), 5, "length")
    assert reply.text
    again = asking(sampling={"max_tokens": 5})
    assert msgspec.structs.replace(reply, latency_s=again.latency_s) == again


@needs_it
def test_a_seed_decides_what_is_drawn(asking):
    def drawn(seed):
        return asking(sampling={"temperature": 1.0, "max_tokens": 8, "seed": seed}).text

    assert drawn(1) == drawn(1)
    assert len({drawn(seed) for seed in range(4)}) > 1


@needs_it
def test_a_stop_ends_the_answer_and_is_not_in_it(asking):
    text = asking(sampling={"max_tokens": 8}).text
    stop = text[3]
    reply = asking(sampling={"max_tokens": 8, "stop": [stop]})
    assert (reply.text, reply.finish_reason) == (text[: text.index(stop)], "stop")


@needs_it
def test_a_prompt_over_the_context_is_a_refusal(asking):
    with pytest.raises(WorldError, match="do not fit a context of 96") as caught:
        asking("x" * 200)
    assert caught.value.kind == "context_overflow"


@needs_it
def test_choices_are_weighed_as_one_forward_pass_over_the_whole_text_has_it(root, run, request_of):
    import torch
    import transformers

    choices = ["a", "ab", "Seoul 서울", "zzz"]

    async def work():
        model = opened(root)
        try:
            return await model.ask(request_of("hi", choices=choices))
        finally:
            await model.close()

    reply = run(work())
    model = transformers.AutoModelForCausalLM.from_pretrained(root / "tiny").eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(root / "tiny")
    given = tokenizer("user:hi\n", return_tensors="pt")["input_ids"]
    for n, choice in enumerate(choices):
        whole = tokenizer("user:hi\n" + choice, return_tensors="pt")["input_ids"]
        labels = whole.clone()
        labels[:, : given.shape[1]] = -100
        with torch.inference_mode():
            loss = model(whole, labels=labels).loss
        count = len(choice.encode())
        assert (reply.choice_logprobs.tokens[n], reply.choice_logprobs.bytes[n]) == (count, count)
        assert reply.choice_logprobs.sums[n] == pytest.approx(-float(loss) * count, abs=1e-4)
    assert (reply.input_tokens, reply.output_tokens) == (given.shape[1], sum(reply.choice_logprobs.tokens))


@needs_it
def test_a_choice_that_no_room_is_left_for_is_a_refusal(root, run, request_of):
    async def work():
        model = opened(root)
        try:
            await model.ask(request_of("hi", choices=["a", "x" * 90]))
        finally:
            await model.close()

    with pytest.raises(WorldError, match="do not fit a context of 96"):
        run(work())


@needs_it
def test_an_answer_that_is_no_such_json_is_marked_and_stored_apart_from_that_without_a_schema(
    root, run, request_of, tmp_path
):
    wanted = ResponseFormat("colours", {"type": "object"})

    async def work():
        model = opened(root, sampling={"max_tokens": 5})
        with closing(open_store(f"sqlite:///{tmp_path / 'store.db'}")) as store:
            ask = stacked(model, store, Meter(), Limits()).ask
            replies = [await ask(request_of()), await ask(request_of(response_format=wanted))]
        await model.close()
        return replies

    plain, held = run(work())
    assert plain.text == held.text
    assert (plain.unheeded, held.unheeded) == ([], ["response_format"])


@needs_it
def test_the_weights_are_in_the_key(root, request_of):
    def key():
        return request_key(opened(root), request_of())

    first = key()
    assert key() == first
    weights = root / "tiny" / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    assert key() != first


@needs_it
def test_a_model_that_is_nowhere_is_told(root):
    with pytest.raises(UserError, match="model: 'no-such-folder' cannot be loaded"):
        open_model(
            "tiny", parse_spec("tiny", {"kind": "transformers", "model": "no-such-folder"}), Places(root)
        )
