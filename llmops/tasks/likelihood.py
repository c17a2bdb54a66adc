"""How an example's choices are weighed by a model, in place of an answer that it writes.

The rules that tell the likeliest are those of lm-evaluation-harness 0.4.13 (Gao et al. 2024,
doi 10.5281/zenodo.12608602): ``sum`` its ``acc``, ``byte`` its ``acc_bytes``, which is its
``acc_norm`` where all letters are ASCII: that one divides by characters.
"""

from collections.abc import Callable, Sequence

from llmops.errors import UserError
from llmops.records import CHOICE_LETTERS, Example, Response
from llmops.replies import ChoiceLogprobs, Message, Request
from llmops.tasks.asking import Asking

Rule = Callable[[ChoiceLogprobs], list[float]]

RULES: dict[str, Rule] = {
    "sum": lambda found: found.sums,
    "token": lambda found: [s / n for s, n in zip(found.sums, found.tokens, strict=True)],
    "byte": lambda found: [s / n for s, n in zip(found.sums, found.bytes, strict=True)],
}
"""What makes a choice the likeliest → a number for each; the greatest wins, the first of equals."""


def texts(example: Example, messages: list[Message], repeat: int, labels: Sequence[str]) -> Asking:
    """Have the example's choices weighed, or else the labels; the answer is the likeliest's name."""
    names = names_of(example, labels)
    return (yield from _weighed(_request(example, messages, repeat, example.choices or names), names))


def letters(example: Example, messages: list[Message], repeat: int, labels: Sequence[str]) -> Asking:
    """Have the letters of the example's choices weighed, which the prompt names them by."""
    names = names_of(example, [])
    return (yield from _weighed(_request(example, messages, repeat, names), names))


WEIGHING: dict[str, Callable[[Example, list[Message], int, Sequence[str]], Asking]] = {
    "weigh_texts": texts,
    "weigh_letters": letters,
}
"""(example, the rendered prompt, repeat, the data set's labels) → its one Request."""


def _request(example: Example, messages: list[Message], repeat: int, choices: list[str]) -> Request:
    if not choices:
        raise UserError(
            f"example {example.id!r}: has no choices to weigh; give its data set's card `choices` or `labels`"
        )
    return Request(
        example_id=example.id,
        inputs=example.inputs,
        messages=messages,
        tools=example.tools,
        choices=choices,
        repeat=repeat,
    )


def _weighed(request: Request, names: Sequence[str]) -> Asking:
    reply = yield request
    if reply.choice_logprobs is None:
        where = f"example {request.example_id!r}"
        raise UserError(f"{where}: the model wrote an answer; take one that weighs given choices")
    return names[likeliest(reply.choice_logprobs, "sum")]


def names_of(example: Example, labels: Sequence[str]) -> list[str]:
    """Return the answer that each choice stands for: its letter, or the label itself."""
    return list(CHOICE_LETTERS[: len(example.choices)]) if example.choices else list(labels)


def likeliest(found: ChoiceLogprobs, rule: str) -> int:
    """Return the index of the likeliest choice by one of ``RULES``.

    >>> likeliest(ChoiceLogprobs(sums=[-2.0, -3.0], tokens=[1, 2], bytes=[2, 9]), "byte")
    1
    """
    values = RULES[rule](found)
    return max(range(len(values)), key=values.__getitem__)


def answer_by(rule: str, response: Response, example: Example, labels: Sequence[str]) -> str | None:
    """Return the response's answer; the likeliest by the rule where the model weighed choices."""
    found = response.turns[-1].reply.choice_logprobs if response.turns else None
    return response.answer if found is None else names_of(example, labels)[likeliest(found, rule)]
