"""The llamacpp kind, with the demo model's own file."""

import asyncio
import itertools
import random
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from llmops.errors import UserError, WorldError
from llmops.models.catalog import open_model, parse_spec
from llmops.models.llamacpp import _Engines
from llmops.models.model import request_key
from llmops.models.timed import timed
from llmops.places import Places
from llmops.replies import Reply

DEMO = Path(__file__).resolve().parents[2] / "models" / "demo-small.gguf"


@pytest.fixture
def root(tmp_path):
    if not DEMO.is_file():
        pytest.skip("models/demo-small.gguf is not there; `python -m training.train demo-small` makes it")
    (tmp_path / "demo.gguf").symlink_to(DEMO)
    return tmp_path


def opened(root, file="demo.gguf", **more):
    raw = {"kind": "llamacpp", "file": file, "sampling": {"max_tokens": 12}, **more}
    return open_model("demo", parse_spec("demo", raw), Places(root))


@pytest.fixture
def asking(root, run, request_of):
    """Ask the questions in their order; returns their replies."""

    def ask(questions, **more):
        async def work():
            model = opened(root, **more)
            try:
                return await asyncio.gather(*(model.ask(request_of(question)) for question in questions))
            finally:
                await model.close()

        return run(work())

    return ask


QUESTIONS = [f"where is my parcel number {n}{' please' * (n % 5)}" for n in range(60)]


def test_seconds_are_the_engines_not_those_of_its_start_or_of_a_busy_loop(root, run, request_of):
    async def work():
        model = opened(root)
        try:
            asked = asyncio.create_task(timed(model).ask(request_of("where is my parcel")))
            await asyncio.sleep(0)
            time.sleep(1.0)
            return await asked
        finally:
            await model.close()

    assert 0 < run(work()).latency_s < 0.5


@pytest.mark.parametrize(("together", "engines"), [(1, 1), (2, 2), (64, 3)])
def test_requests_that_wait_together_have_their_engines_before_the_first_is_asked(together, engines, run):
    started = itertools.count()

    async def work():
        made = _Engines(3, lambda: next(started), "test")
        await asyncio.gather(*(made.ready() for _ in range(together)))
        before = next(started)
        await asyncio.gather(*(made.run(lambda engine: Reply(text="x")) for _ in range(together)))
        await made.ready()
        await made.close()
        return before

    assert run(work()) == engines
    assert next(started) == engines + 1, "and none more for them"


def test_an_engine_whose_start_was_not_waited_for_is_used_all_the_same(run):
    def slowly():
        time.sleep(0.3)
        return "engine"

    async def work():
        made = _Engines(1, slowly, "test")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(made.ready(), 0.05)
        reply = await asyncio.wait_for(made.run(lambda engine: Reply(text=engine)), 5.0)
        await made.close()
        return reply.text

    assert run(work()) == "engine"


def test_an_engine_that_does_not_start_is_told_each_time(root, run, request_of):
    (root / "cut.gguf").write_bytes(DEMO.read_bytes()[:1000])

    async def work():
        model = opened(root, file="cut.gguf", slots=2)
        for wait in (model.ready, partial(model.ask, request_of("hi")), model.ready):
            with pytest.raises(UserError, match="cannot be loaded"):
                await wait()
        await model.close()

    run(work())


def test_an_answer_tells_tokens_file_and_engine(asking):
    reply = asking(["where is my parcel"])[0]
    assert reply.text
    assert reply.error is None
    assert reply.input_tokens > 0
    assert 0 < reply.output_tokens <= 12
    assert reply.served_model == "demo.gguf"
    assert reply.fingerprint.startswith("xllamacpp ")


def test_an_answer_does_not_depend_on_slots_order_or_neighbours(asking):
    shuffled = random.Random(1).sample(QUESTIONS, len(QUESTIONS))
    alone = dict(zip(QUESTIONS, asking(QUESTIONS, slots=1), strict=True))
    crowded = dict(zip(shuffled, asking(shuffled, slots=6), strict=True))
    assert {q: r.text for q, r in alone.items()} == {q: r.text for q, r in crowded.items()}


def test_a_prompt_over_the_context_is_a_refusal(asking):
    with pytest.raises(WorldError, match="exceeds the available context size") as caught:
        asking(["where is my parcel " * 400], context=128)
    assert (caught.value.kind, caught.value.transient) == ("context_overflow", False)


def test_a_seed_decides_what_is_drawn(asking):
    def drawn(seed):
        sampling = {"temperature": 1.5, "max_tokens": 12, "seed": seed}
        return [reply.text for reply in asking(QUESTIONS[:8], sampling=sampling)]

    assert drawn(1) == drawn(1)
    assert len({tuple(drawn(seed)) for seed in range(4)}) > 1


def test_the_weights_and_the_context_are_in_the_key_and_the_slots_are_not(root, request_of):
    def key(**more):
        return request_key(opened(root, **more), request_of())

    (root / "other.gguf").write_bytes(DEMO.read_bytes() + b"\0")
    assert key(slots=7) == key()
    assert len({key(), key(file="other.gguf"), key(context=300)}) == 3


def test_a_missing_file_and_a_file_of_another_kind_are_told(tmp_path):
    with pytest.raises(UserError, match=r"models\.demo: file: 'none\.gguf' is no file"):
        opened(tmp_path, "none.gguf")
    for content in (b"", b"GG", b"PK\x03\x04 a zip archive"):
        (tmp_path / "bad.gguf").write_bytes(content)
        with pytest.raises(UserError, match=r"'bad\.gguf' is no GGUF file"):
            opened(tmp_path, "bad.gguf")


@pytest.mark.parametrize("share", [0.0001, 0.05, 0.5, 0.999])
def test_a_file_that_is_cut_short_is_told(share, root, run, request_of, capfd):
    whole = DEMO.read_bytes()
    (root / "cut.gguf").write_bytes(whole[: max(8, int(len(whole) * share))])

    async def work():
        model = opened(root, "cut.gguf")
        try:
            await model.ask(request_of())
        finally:
            await model.close()

    with pytest.raises(UserError, match=r"'cut\.gguf' cannot be loaded; it is cut short"):
        run(work())
    assert capfd.readouterr() == ("", "")


def test_a_process_that_asked_ends_quietly_without_closing(root):
    script = """
import asyncio, sys
from pathlib import Path
from llmops.models.catalog import open_model, parse_spec
from llmops.models.llamacpp import _Engines
from llmops.places import Places
from llmops.replies import Message, Request
raw = {"kind": "llamacpp", "file": "demo.gguf", "slots": 3, "sampling": {"max_tokens": 4}}
model = open_model("demo", parse_spec("demo", raw), Places(Path(sys.argv[1])))
async def main():
    said = [Message(role="user", content=f"q {n}") for n in range(9)]
    asked = [Request(example_id="e", inputs={}, messages=[message]) for message in said]
    print(len(await asyncio.gather(*map(model.ask, asked))))
asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", script, root], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "9\n", "")


def test_confidences_are_probabilities_and_leave_the_answers_as_they_are(asking):
    plain = asking(QUESTIONS[:12])
    told = asking(QUESTIONS[:12], sampling={"max_tokens": 12, "logprobs": True})
    assert [reply.text for reply in told] == [reply.text for reply in plain]
    assert {reply.confidence for reply in plain} == {None}
    assert all(0 < reply.confidence <= 1 for reply in told)
    assert len({reply.confidence for reply in told}) > 1
