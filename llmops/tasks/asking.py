"""How an Example becomes Requests.

A task is a generator: it yields Requests, receives Replies, and returns an answer. One question,
a retrieval step, a tool call and a conversation have the same shape.
"""

from collections.abc import Callable, Generator

from llmops.records import Example, Message, Reply, Request

Asking = Generator[Request, Reply, str | None]


def question(example: Example, messages: list[Message], repeat: int) -> Asking:
    """Ask once; the reply's text is the answer."""
    reply = yield Request(
        example_id=example.id,
        inputs=example.inputs,
        messages=messages,
        tools=example.tools,
        repeat=repeat,
    )
    return reply.text


ASKING: dict[str, Callable[[Example, list[Message], int], Asking]] = {
    "question": question,
}
