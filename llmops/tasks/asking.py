"""How an Example becomes Requests.

A task is a generator: it yields Requests, receives Replies, and returns an answer. One question,
a retrieval step, a tool call and a conversation have the same shape.
"""

from collections.abc import Callable, Generator, Sequence

from llmops.errors import UserError
from llmops.records import Example, Message, Reply, Request
from llmops.tasks.likelihood import choices_of, likeliest, names_of

Asking = Generator[Request, Reply, str | None]


def question(example: Example, messages: list[Message], repeat: int, labels: Sequence[str] = ()) -> Asking:
    """Ask once; the reply's text is the answer."""
    reply = yield Request(
        example_id=example.id,
        inputs=example.inputs,
        messages=messages,
        tools=example.tools,
        repeat=repeat,
    )
    return reply.text


def likelihood(example: Example, messages: list[Message], repeat: int, labels: Sequence[str] = ()) -> Asking:
    """Have the choices' texts weighed; the answer is the name of the likeliest, by the sums."""
    texts = choices_of(example, labels)
    return (yield from _weighed(example, messages, repeat, texts, names_of(example, labels)))


def letter_likelihood(
    example: Example, messages: list[Message], repeat: int, labels: Sequence[str] = ()
) -> Asking:
    """Have the choices' letters weighed, which the prompt names them by."""
    letters = names_of(example, [])
    return (yield from _weighed(example, messages, repeat, letters, letters))


def _weighed(
    example: Example, messages: list[Message], repeat: int, texts: list[str], names: list[str]
) -> Asking:
    if not texts:
        raise UserError(
            f"example {example.id!r}: has no choices to weigh; give its data set's card `choices` or `labels`"
        )
    reply = yield Request(
        example_id=example.id,
        inputs=example.inputs,
        messages=messages,
        tools=example.tools,
        choices=texts,
        repeat=repeat,
    )
    if reply.choice_logprobs is None:
        raise UserError(f"example {example.id!r}: the model wrote an answer; it cannot weigh given choices")
    return names[likeliest(reply.choice_logprobs, "sum")]


Asker = Callable[[Example, list[Message], int, Sequence[str]], Asking]
"""(example, the rendered prompt, repeat, the data set's labels) → its Requests."""

ASKING: dict[str, Asker] = {
    "question": question,
    "likelihood": likelihood,
    "letter_likelihood": letter_likelihood,
}

WEIGHING = frozenset({"likelihood", "letter_likelihood"})
"""Those that want a model that weighs choices."""
