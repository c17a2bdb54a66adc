"""Which of an example's choices an answer is, when the model weighed them all.

The rules that tell the likeliest are those of lm-evaluation-harness 0.4.13 (Gao et al. 2024,
doi 10.5281/zenodo.12608602): ``sum`` its ``acc``, ``byte`` its ``acc_bytes``, which is its
``acc_norm`` where all letters are ASCII: that one divides by characters.
"""

from collections.abc import Callable, Sequence

from llmops.records import CHOICE_LETTERS, ChoiceLogprobs, Example, Response

Rule = Callable[[ChoiceLogprobs], list[float]]

RULES: dict[str, Rule] = {
    "sum": lambda found: found.sums,
    "token": lambda found: [s / n for s, n in zip(found.sums, found.tokens, strict=True)],
    "byte": lambda found: [s / n for s, n in zip(found.sums, found.bytes, strict=True)],
}
"""What makes a choice the likeliest → a number for each; the greatest wins, the first of equals."""


def choices_of(example: Example, labels: Sequence[str]) -> list[str]:
    """Return the texts to weigh: the example's own choices, or else the data set's labels."""
    return example.choices or list(labels)


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
