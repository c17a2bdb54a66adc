import shutil
from pathlib import Path

import pytest

from llmops.cards.card import load_card
from llmops.cards.examples import read_examples
from llmops.cards.source import fetch
from llmops.prompts import load_prompt
from llmops.records import Example
from llmops.replies import Message, Reply, ResponseFormat, ToolCall
from llmops.tasks.asking import ASKING, conversation, question

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = Example(id="e1", inputs={"message": "안녕"}, tools=[{"name": "find"}])
SCHEMA = ResponseFormat("answer", {"type": "object"})


def asked(asking, *replies):
    """Return the requests of an asking that gets these replies, and its answer."""
    *first, last = replies
    requests = [next(asking), *(asking.send(reply) for reply in first)]
    with pytest.raises(StopIteration) as done:
        asking.send(last)
    return requests, done.value.value


def user(content):
    return Message(role="user", content=content)


def test_a_question_is_asked_once_and_its_text_is_the_answer():
    requests, answer = asked(question(EXAMPLE, [user("안녕")], 2, SCHEMA), Reply(text="hello"))
    (request,) = requests
    assert (request.example_id, request.inputs, request.repeat) == ("e1", EXAMPLE.inputs, 2)
    assert (request.messages[0].content, request.tools) == ("안녕", EXAMPLE.tools)
    assert (request.response_format, answer) == (SCHEMA, "hello")


def test_the_tools_that_are_called_are_the_answer_even_beside_text():
    call = ToolCall("c", "find", '{"q": "x"}')
    _, answer = asked(question(EXAMPLE, [user("안녕")], 0), Reply(text="Let me look.", tool_calls=[call]))
    assert answer == '[{"name": "find", "arguments": {"q": "x"}}]'


def test_a_second_turn_is_asked_after_the_models_own_first_answer():
    system = Message("system", "Be brief.")
    requests, answer = asked(
        conversation(EXAMPLE, [system, user("one"), user("two"), user("three")], 1),
        Reply(text="first"), Reply(text="second"), Reply(text="third"),
    )  # fmt: skip
    assert [len(request.messages) for request in requests] == [2, 4, 6]
    assert requests[2].messages == [
        system, user("one"), Message("assistant", "first"), user("two"), Message("assistant", "second"),
        user("three"),
    ]  # fmt: skip
    assert requests[0].messages == [system, user("one")]
    assert (answer, {request.repeat for request in requests}) == ("third", {1})


def test_a_turn_that_the_data_answer_is_not_asked_again():
    held = [user("one"), Message("assistant", "in the data"), user("two")]
    requests, answer = asked(conversation(EXAMPLE, held, 0), Reply(text="x"))
    assert ([request.messages for request in requests], answer) == ([held], "x")


def test_a_call_of_a_tool_ends_a_conversation():
    call = ToolCall("c", "find", "{}")
    requests, answer = asked(conversation(EXAMPLE, [user("one"), user("two")], 0), Reply(tool_calls=[call]))
    assert (len(requests), answer) == (1, '[{"name": "find", "arguments": {}}]')


@pytest.mark.parametrize("name", ASKING)
def test_every_way_of_asking_begins_with_a_request(name):
    assert next(ASKING[name](EXAMPLE, [], 0, None)).example_id == "e1"


@pytest.mark.real_data
def test_mt_benchs_second_questions_come_after_the_models_first_answers(mirror, tmp_path):
    shutil.copytree(ROOT / "data/sets/mt_bench", tmp_path / "data/sets/mt_bench")
    card = load_card(tmp_path, "mt_bench")
    fetch(card, tmp_path, tmp_path / "raw", tmp_path / "downloads", mirror, lambda line: None)
    prompt = load_prompt(ROOT, "mt_bench/turns")
    examples = [example for _, example in read_examples(card, tmp_path / "raw")]
    assert len(examples) == 80
    for example in examples:
        first, second = example.inputs["turns"]
        asking = ASKING[prompt.asking](example, prompt.render(example), 0, None)
        requests, answer = asked(asking, Reply(text="my own"), Reply(text="the second"))
        assert [m.content for m in requests[0].messages] == [first]
        assert [m.content for m in requests[1].messages] == [first, "my own", second]
        assert answer == "the second"
