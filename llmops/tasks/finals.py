"""What an answer gives as its final answer, after working or bare."""

from collections.abc import Sequence

from llmops.tasks.marks import decisive
from llmops.tasks.reading import Reading, quoted, unread

SHORT = 400
"""Characters of one line that may be a bare answer; more without a mark is working without an end."""


def final(answer: str, labels: Sequence[str]) -> Reading:
    """Read what the answer announces (``So the answer is 7.``) without its full stop, or a bare answer.

    A text of several lines, or a long one, that announces nothing is unread: it was cut short.

    >>> final("2 + 5 is 7. So the answer is 7.", []).text
    '7'
    """
    for mark in decisive(answer):
        if mark.text.strip():
            return Reading(mark.text.strip().removesuffix("."), None)
    bare = answer.strip()
    if not bare:
        return unread("empty answer")
    if "\n" in bare or len(bare) > SHORT:
        return unread(f"announces no answer: {quoted(answer)}")
    return Reading(bare, None)
