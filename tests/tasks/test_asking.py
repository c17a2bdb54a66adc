import pytest
from msgspec.structs import replace

from llmops.records import Example, Message, Reply
from llmops.tasks.asking import ASKING, question

EXAMPLE = Example(id="e1", inputs={"message": "안녕"}, tools=[{"name": "find"}])


def test_a_question_is_asked_once_and_its_text_is_the_answer():
    asking = question(EXAMPLE, [Message(role="user", content="안녕")], repeat=2)
    request = next(asking)
    assert (request.example_id, request.inputs, request.repeat) == ("e1", EXAMPLE.inputs, 2)
    assert (request.messages[0].content, request.tools) == ("안녕", EXAMPLE.tools)
    with pytest.raises(StopIteration) as done:
        asking.send(Reply(text="hello"))
    assert done.value.value == "hello"


@pytest.mark.parametrize("name", ASKING)
def test_every_way_of_asking_begins_with_a_request(name):
    assert next(ASKING[name](replace(EXAMPLE, choices=["x", "y"]), [], 0)).example_id == "e1"
