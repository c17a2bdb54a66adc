"""Which ids an answer ranks, best first."""

import re
from collections.abc import Sequence

import msgspec

from llmops.tasks.reading import Reading, quoted, unread

_FENCED = re.compile(r"```\w*+\n(.*?)```", re.DOTALL)
_MARKED = re.compile(r"\s*+(?:[-*•]|\d{1,4}[.)])\s++(.*)")
_EDGES = " \t\r\"'`*,"


def ranking(answer: str, labels: Sequence[str]) -> Reading:
    """Read the answer as a ranked list of ids; the reading is a JSON list of texts.

    A JSON list (of texts or numbers; a fence of backticks around it is left out), or one id a line.
    Where lines are marked as a list's (``-``, ``*``, ``1.``, ``2)``), those are the ids and the other
    lines are talk. Quotes, commas and Markdown around an id are left out, and an id that comes
    again counts at its first place only.

    Does not cover: a list in running text (``first d3, then d7``).

    >>> ranking("Most relevant first:\\n1. d3\\n2. d7", [])
    Reading(text='["d3","d7"]', reason=None)
    """
    fenced = _FENCED.search(answer)
    text = (fenced[1] if fenced else answer).strip()
    listed = _of_json(text) if text.startswith("[") else None
    ids = _of_lines(text) if listed is None else listed
    if not ids and listed is None:
        return unread(f"no ids in {quoted(answer)}" if answer.strip() else "empty answer")
    return Reading(msgspec.json.encode(list(dict.fromkeys(ids))).decode(), None)


def _of_json(text: str) -> list[str] | None:
    try:
        values = msgspec.json.decode(text, type=list[str | int | float])
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None
    return [str(value) for value in values]


def _of_lines(text: str) -> list[str]:
    lines = text.split("\n")
    marked = [found[1] for line in lines if (found := _MARKED.match(line))]
    return [name for line in marked or lines if (name := line.strip(_EDGES))]
