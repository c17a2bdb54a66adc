"""The openai kind against `transformers serve`, which leaves much of the protocol open."""

import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from llmops.models.catalog import open_model, parse_spec
from llmops.places import Places
from llmops.replies import Message, ResponseFormat

CONTEXT = 96
STARTS_WITHIN_S = 90.0
COMMAND = shutil.which("transformers")

MAKE = f"""
import sys, tokenizers, torch, transformers
alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
words = {{token: number for number, token in enumerate(["<|bos|>", "<|eos|>", *alphabet])}}
inner = tokenizers.Tokenizer(tokenizers.models.BPE(words, []))
inner.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
inner.decoder = tokenizers.decoders.ByteLevel()
ends = {{"bos_token": "<|bos|>", "eos_token": "<|eos|>", "pad_token": "<|eos|>"}}
tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=inner, **ends)
tokenizer.chat_template = "{{% for m in messages %}}{{{{ m['role'] + ':' + m['content'] + '\\n' }}}}{{% endfor %}}"
torch.manual_seed(0)
config = transformers.LlamaConfig(
    vocab_size=len(words), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
    max_position_embeddings={CONTEXT}, bos_token_id=0, eos_token_id=1,
)
transformers.LlamaForCausalLM(config).save_pretrained(sys.argv[1])
tokenizer.save_pretrained(sys.argv[1])
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(COMMAND is None, reason="no `transformers serve` (transformers[serving]) on PATH"),
]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The address of a server of a random model, and the model's folder, which is its name."""
    folder = tmp_path_factory.mktemp("served") / "tiny"
    python, quiet = Path(COMMAND).with_name("python"), {"HF_HUB_OFFLINE": "1", "PYTHONPATH": ""}
    environment = {**os.environ, **quiet}
    made = subprocess.run([python, "-c", MAKE, folder], env=environment, capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"the model cannot be made: {made.stderr.splitlines()[-1]}")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    command = [COMMAND, "serve", folder, "--device", "cpu", "--host", "127.0.0.1", "--port", str(port)]
    log = (folder.parent / "log").open("w+")
    server = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        _wait(f"http://127.0.0.1:{port}/health", server, log)
        yield f"http://127.0.0.1:{port}/v1", str(folder)
    finally:
        server.terminate()
        server.wait(30)
        log.close()


def _wait(url, server, log):
    gives_up_at = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < gives_up_at:
        if server.poll() is not None:
            log.seek(0)
            pytest.skip(f"the server does not start: {log.read()[-300:]}")
        try:
            with urllib.request.urlopen(url, timeout=1):  # noqa: S310 - loopback
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    pytest.skip(f"the server did not start within {STARTS_WITHIN_S:g} s")


@pytest.fixture
def asking(served, run, tmp_path, request_of):
    url, name = served

    def ask(request=None, sampling=None, **more):
        async def work():
            raw = {"kind": "openai", "model": name, "base_url": url, **more}
            raw["sampling"] = {"max_tokens": 6, **(sampling or {})}
            model = open_model("tiny", parse_spec("tiny", raw), Places(tmp_path))
            try:
                return await model.ask(request or request_of())
            finally:
                await model.close()

        return run(work())

    return ask


def test_an_answer_is_capped_and_counted(asking):
    reply = asking()
    assert (reply.error, reply.usage_source, reply.unheeded) == (None, "server", [])
    assert reply.input_tokens > 0
    assert 0 < reply.output_tokens <= 6


def test_a_stream_adds_up_to_the_same_answer_but_for_a_character_that_the_cap_cut(asking):
    whole, streamed = asking(), asking(sampling={"stream": True})
    assert streamed.text.rstrip("\ufffd") == whole.text.rstrip("\ufffd")
    assert streamed.output_tokens == whole.output_tokens
    assert streamed.first_token_s > 0


def test_a_conversation_is_taken(asking, request_of):
    said = [Message("system", "x"), Message("user", "a"), Message("assistant", "b"), Message("user", "c")]
    assert asking(request_of()).error is None
    longer = asking(type(request_of())(example_id="e", inputs={}, messages=said))
    assert longer.input_tokens > 0


def test_what_it_ignores_is_marked(asking, request_of):
    wanted = request_of(response_format=ResponseFormat("answer", {"type": "object"}))
    assert asking(wanted).unheeded == ["response_format"]
    assert asking(sampling={"logprobs": True}).unheeded == ["logprobs"]


def test_a_prompt_over_its_context_is_an_error_when_the_context_is_known(asking, request_of):
    long = request_of("a" * 2 * CONTEXT)
    unknown, known = asking(long), asking(long, context=CONTEXT)
    assert (unknown.error, known.error.kind) == (None, "context_overflow")
