"""What a reader makes of an answer."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

SHOWN = 60
"""Characters of an answer that a reason quotes."""


class Reading(NamedTuple):
    """An answer as it was read; exactly one of the two is None."""

    text: str | None
    reason: str | None
    """Why it is unread."""


Reader = Callable[[str, Sequence[str]], Reading]
"""(answer, the example's choices or else the data set's labels, [] without either) → Reading."""


def unread(reason: str) -> Reading:
    """Return the reading of an answer that could not be read."""
    return Reading(None, reason)


def quoted(answer: str) -> str:
    """Return the answer's beginning in quotes, for a reason."""
    head = answer.strip()
    return repr(head if len(head) <= SHOWN else head[: SHOWN - 1] + "…")


def text(answer: str, labels: Sequence[str]) -> Reading:
    """Read the whole answer, without the white space around it.

    >>> text("  서울 \\n", [])
    Reading(text='서울', reason=None)
    """
    stripped = answer.strip()
    return Reading(stripped, None) if stripped else unread("empty answer")
