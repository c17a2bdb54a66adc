"""What a model thought aloud, kept apart from what it answered."""

from typing import NamedTuple

START, END = "<think>", "</think>"


class Thought(NamedTuple):
    """A text in its two parts."""

    reasoning: str | None
    answer: str


def parted(text: str) -> Thought:
    """Return the reasoning at the text's start, None without it, and the answer behind it.

    >>> parted("<think>17 + 25 is 42</think>\\n42")
    Thought(reasoning='17 + 25 is 42', answer='42')

    A chat template may open the thought itself, so an end without a start counts too. A thought that
    never ends leaves an empty answer.
    """
    head, end, tail = text.partition(END)
    opened = head.lstrip().startswith(START)
    if not opened and (not end or START in head):
        return Thought(None, text)
    reasoning = head.lstrip().removeprefix(START).strip()
    return Thought(reasoning or None, tail.lstrip())
