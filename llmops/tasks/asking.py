"""How an Example becomes Requests.

A task is a generator: it yields Requests, receives Replies, and returns an answer. One question,
a retrieval step, a tool call and a conversation have the same shape.
"""

from collections.abc import Callable, Generator

from llmops.records import Example
from llmops.replies import Message, Reply, Request, ResponseFormat
from llmops.tool_calls import written

Asking = Generator[Request, Reply, str | None]


def question(
    example: Example, messages: list[Message], repeat: int, response_format: ResponseFormat | None = None
) -> Asking:
    """Ask once; the answer is the tools that the reply calls, else its text."""
    return answer_of((yield _request(example, messages, repeat, response_format)))


def conversation(
    example: Example, messages: list[Message], repeat: int, response_format: ResponseFormat | None = None
) -> Asking:
    """Ask wherever the user speaks and no assistant's message follows; the last answer counts.

    An answer becomes the assistant's message that was missing, so the next question is asked after
    it. A reply that calls a tool ends the conversation, since nothing here answers the call.
    """
    said: list[Message] = []
    for number, message in enumerate(messages):
        said.append(message)
        if not _unanswered(messages, number):
            continue
        reply = yield _request(example, list(said), repeat, response_format)
        if reply.tool_calls:
            return answer_of(reply)
        said.append(Message("assistant", reply.text or ""))
    return answer_of((yield _request(example, said, repeat, response_format)))


def answer_of(reply: Reply) -> str | None:
    """Return the tools that the reply calls as one text, else its text."""
    return written(reply.tool_calls) if reply.tool_calls else reply.text


def _unanswered(messages: list[Message], number: int) -> bool:
    """Whether the user speaks twice in a row from here on, so that an answer is missing between."""
    pair = messages[number : number + 2]
    return len(pair) == 2 and all(message.role == "user" for message in pair)


def _request(
    example: Example, messages: list[Message], repeat: int, response_format: ResponseFormat | None
) -> Request:
    return Request(
        example_id=example.id,
        inputs=example.inputs,
        messages=messages,
        tools=example.tools,
        response_format=response_format,
        repeat=repeat,
    )


Way = Callable[[Example, list[Message], int, ResponseFormat | None], Asking]
"""(example, rendered messages, repeat, what its answers must be) → the asking of it."""

ASKING: dict[str, Way] = {
    "question": question,
    "conversation": conversation,
}
"""The ways of asking there are."""
