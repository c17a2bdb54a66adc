"""The python kind, with real files."""

import asyncio
import time

import pytest

from llmops.errors import UserError, WorldError
from llmops.models.catalog import open_model, parse_spec
from llmops.models.model import request_key
from llmops.places import Places

CODE = """
import asyncio, time
from dataclasses import dataclass
from neighbour import GREETING

@dataclass
class State:
    seen: int = 0

def plain(inputs, messages):
    return f"{GREETING} {inputs['message']} {messages[0]['role']}"

async def awaited(inputs, messages):
    await asyncio.sleep(0)
    return {"text": "later", "usage": {"prompt_tokens": 4, "completion_tokens": 1}, "model": "inner-1"}

def slow(inputs, messages):
    time.sleep(0.15)
    return "slow"

def broken(inputs, messages):
    raise KeyError("order_id")

def strange(inputs, messages):
    return 3

def counted(inputs, messages):
    return {"text": "x", "usage": {"took": object()}}

def torn(inputs, messages):
    return "\\ud83d"

def moaning(inputs, messages):
    raise ValueError("\\ud83d is no emoji")

def misspelt(inputs, messages):
    return {"txt": "x"}
"""


@pytest.fixture
def root(tmp_path):
    (tmp_path / "apps").mkdir()
    (tmp_path / "apps" / "bot.py").write_text(CODE, encoding="utf-8")
    (tmp_path / "neighbour.py").write_text("GREETING = 'hello'\n", encoding="utf-8")
    return tmp_path


def opened(root, function, **more):
    raw = {"kind": "python", "file": "apps/bot.py", "function": function, **more}
    return open_model("bot", parse_spec("bot", raw), Places(root))


@pytest.fixture
def asking(root, run, request_of):
    def ask(function, times=1, **more):
        async def work():
            model = opened(root, function, **more)
            try:
                return await asyncio.gather(*(model.ask(request_of("you")) for _ in range(times)))
            finally:
                await model.close()

        return run(work())

    return ask


def test_a_function_gets_inputs_and_messages_and_returns_text(asking):
    assert asking("plain")[0].text == "hello you user"


def test_an_async_function_may_return_usage(asking):
    reply = asking("awaited")[0]
    assert (reply.text, reply.input_tokens, reply.output_tokens, reply.served_model) == (
        "later",
        4,
        1,
        "inner-1",
    )


def test_a_function_that_blocks_runs_beside_the_others(asking):
    started = time.monotonic()
    asking("slow", times=8)
    assert time.monotonic() - started < 0.8


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("broken", "KeyError: 'order_id'"),
        ("strange", "TypeError: returned 3; must return text or a mapping with 'text'"),
        ("counted", "TypeError: returned what no JSON can hold"),
        ("torn", "TypeError: returned what no JSON can hold"),
        ("moaning", "ValueError: \ufffd is no emoji"),
        ("misspelt", "ValidationError: Object contains unknown field `txt`"),
    ],
)
def test_what_a_function_does_wrong_is_told_with_type_and_message(function, message, asking):
    with pytest.raises(WorldError, match=message) as caught:
        asking(function)
    assert (caught.value.kind, caught.value.transient) == ("application", False)


def test_a_missing_function_lists_those_there_are(root):
    with pytest.raises(
        UserError, match=r"apps/bot\.py: function: no 'plian'; functions are \['awaited', 'broken'"
    ):
        opened(root, "plian")


def test_a_missing_file_and_a_broken_file_are_told(root):
    (root / "apps" / "bot.py").write_text("import no_such_package\n", encoding="utf-8")
    with pytest.raises(
        UserError, match=r"fails when imported \(ModuleNotFoundError: No module named 'no_such"
    ):
        opened(root, "plain")
    (root / "apps" / "bot.py").unlink()
    with pytest.raises(UserError, match=r"models\.bot: file: 'apps/bot\.py' is no file"):
        opened(root, "plain")


def test_an_edit_of_the_file_or_of_one_it_depends_on_changes_the_key(root, request_of):
    def key():
        return request_key(opened(root, "plain", files=["neighbour.py"]), request_of())

    first = key()
    assert key() == first
    (root / "neighbour.py").write_text("GREETING = 'good morning'\n", encoding="utf-8")
    second = key()
    (root / "apps" / "bot.py").write_text(CODE + "\n# edited\n", encoding="utf-8")
    assert len({first, second, key()}) == 3
