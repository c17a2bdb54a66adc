"""Conversations and tool calls, as data sets write them."""

import pytest

from llmops.conversation import messages_of
from llmops.errors import UserError
from llmops.replies import Message, ToolCall
from llmops.tool_calls import calls_in, written


def test_texts_are_the_users_and_objects_have_roles():
    called = {
        "id": "c-1",
        "type": "function",
        "function": {"name": "weather", "arguments": '{"city": "서울"}'},
    }
    turns = [
        "날씨 어때?",
        {"role": "assistant", "content": None, "tool_calls": [called]},
        {"role": "tool", "content": "맑음", "tool_call_id": "c-1"},
    ]
    assert messages_of(turns, "turns") == [
        Message("user", "날씨 어때?"),
        Message("assistant", "", [ToolCall("c-1", "weather", '{"city": "서울"}')]),
        Message("tool", "맑음", [], "c-1"),
    ]


@pytest.mark.parametrize(
    ("turns", "message"),
    [
        (None, "is .*; a conversation is a list"),
        ([], "is .*; a conversation is a list"),
        ("hi", "is .*; a conversation is a list"),
        ([3], "turn 1: is 3; must be text"),
        (["hi", {"role": "boss", "content": "x"}], "turn 2: is .* with a role of"),
        ([{"role": "user", "content": ["x"]}], "turn 1: content: is"),
        ([{"role": "assistant", "tool_calls": [{"function": {}}]}], "turn 1: tool_calls: must be"),
    ],
)
def test_what_is_no_conversation_is_refused_with_its_turn(turns, message):
    with pytest.raises(UserError, match=rf"^p: {message}"):
        messages_of(turns, "p")


def test_calls_are_one_text_however_their_arguments_are_written():
    texts = [
        '{"name": "f", "arguments": {"b": 1, "a": "가"}}',
        '[{"id": "x", "type": "function", "function": {"name": "f", "arguments": "{\\"a\\": \\"가\\",\\"b\\":1}"}}]',
    ]
    assert {written(calls_in(text)) for text in texts} == {
        '[{"name": "f", "arguments": {"a": "가", "b": 1}}]'
    }


def test_arguments_that_are_no_json_are_kept_as_they_are():
    assert written([ToolCall("", "f", '{"a": ')]) == '[{"name": "f", "arguments": "{\\"a\\": "}]'


@pytest.mark.parametrize("text", ["", "hi", "[]", "3", '"f"', "[1]", '[{"arguments": {}}]', "[" * 100_000])
def test_what_calls_nothing_is_no_call(text):
    assert calls_in(text) is None
