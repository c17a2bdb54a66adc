"""Where an answer says that the answer follows."""

import re
from typing import NamedTuple


class Mark(NamedTuple):
    """What stands behind one announcement of the answer, e.g. behind ``Answer:``."""

    text: str
    """To the end of the line, of its quotes, or to the next mark; the next line where its own is empty."""
    firm: bool
    """Announced like a form's field, not in running prose."""


# Possessive repeats (``*+``) throughout: no text makes a match take more than linear time.
_GAP = r"[^\S\n]*+"
_EDGE = r"[\"'`*_]*+"  # quotes, or Markdown's bold and italics

_QUOTED = re.compile(r"([\"'`])(.+?)\1")


def _pattern(english: str, korean: str) -> re.Pattern[str]:
    firm = rf"""
        \\boxed\{{
      | ^{_GAP}(?P<hashes>\#{{4}})(?!\#)
      | ^{_GAP}{_EDGE}A{_EDGE}:[*_]*+
      | \b(?i:{english})\b{_EDGE}{_GAP}(?:is{_GAP})?+[:=][*_]*+
      | (?<![가-힣])(?:{korean}){_EDGE}{_GAP}(?:[은는]{_GAP})?+[:：=][*_]*+
    """
    prose = rf"\b(?i:answer)\ is\b | (?<![가-힣])(?:{korean})[은는](?![가-힣])"
    return re.compile(rf"(?P<firm>{firm})|{prose}", re.VERBOSE | re.MULTILINE)


ANSWER = _pattern("answer", "정답|답변|답")
"""Marks that announce any answer."""

LABEL = _pattern("answer|label|intent|category|class", "정답|답변|답|라벨|의도|분류|범주")
"""Marks that announce a label."""


def decisive(answer: str, pattern: re.Pattern[str] = ANSWER) -> list[Mark]:
    """Return the marks to read, in order: the last firm one alone, or else the prose ones, last first.

    ``####`` opens a Markdown section, and is no mark, when letters follow it and more lines come.

    >>> decisive("The answer is 5, I think.\\nAnswer: **7** apples")
    [Mark(text='**7** apples', firm=True)]
    >>> decisive("#### Step 1: add\\n5 + 2 = 7\\n#### 7")
    [Mark(text='7', firm=True)]
    """
    answer = answer.rstrip()
    found = list(pattern.finditer(answer))
    ends = [*(match.start() for match in found[1:]), len(answer)]
    marks = []
    for match, end in zip(found, ends, strict=False):
        text, stop = _following(answer, match, end)
        if match["hashes"] and stop < len(answer) and any(char.isalpha() for char in text):
            continue
        marks.append(Mark(text, match["firm"] is not None))
    return [mark for mark in marks if mark.firm][-1:] or marks[::-1]


def _following(answer: str, match: re.Match[str], end: int) -> tuple[str, int]:
    """Return what follows a mark, and where that ends."""
    rest = answer[match.end() : end]
    inside = _braced(rest) if match.group().endswith("{") else None
    if inside is not None:
        return inside, match.end() + len(inside)
    line = rest.lstrip().partition("\n")[0]
    value = _QUOTED.match(line)
    stop = match.end() + (len(rest) - len(rest.lstrip())) + len(line)
    return (value[2] if value else line.rstrip()), stop


def _braced(rest: str) -> str | None:
    depth = 1
    for brace in re.finditer(r"[{}]", rest):
        depth += 1 if brace.group() == "{" else -1
        if depth == 0:
            return rest[: brace.start()]
    return None
