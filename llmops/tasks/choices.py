"""Which of the lettered choices an answer picks."""

import re
from collections.abc import Sequence

from llmops.records import CHOICE_LETTERS
from llmops.tasks.labels import key
from llmops.tasks.marks import decisive
from llmops.tasks.reading import Reading, quoted, unread

_WHOLE = re.compile(r"\W*([A-Z])\W*")
_LEADING = re.compile(r"\W{0,4}([A-Z])(?![\w'’])(?:[).:,]|\W*$)")
_PARENTHESISED = re.compile(r"[(\[]([A-Z])[)\]]")
_ANNOUNCED = re.compile(r"answer is\s*[*_(\[]*([A-Z])\b|[aA]nswer:\s*[*_(\[]*([A-Z])\b")


def choice(answer: str, choices: Sequence[str]) -> Reading:
    """Read the letter of the one choice that the answer picks.

    The first of these that finds one: the whole answer is a letter or a choice's text; the answer
    marks it (``Answer: B``, ``The answer is (B).``; the last mark counts), by letter or by text;
    exactly one letter stands in parentheses.

    Args:
        choices: the example's choices; where they are not known, any letter will do.
    """
    whole = _WHOLE.fullmatch(answer) or None
    if whole:
        return _known(whole[1], choices)
    texts = _texts(choices)
    if found := texts.get(key(answer)):
        return Reading(found, None)
    for mark in decisive(answer):
        if letter := _LEADING.match(mark.text):
            return _known(letter[1], choices)
        if found := texts.get(key(mark.text)):
            return Reading(found, None)
        if mark.firm:
            return _only(_parenthesised(mark.text), mark.text, choices)
    return _only(_parenthesised(answer), answer, choices)


def announced_choice(answer: str, choices: Sequence[str]) -> Reading:
    """Read the first letter that the answer announces: ``the answer is (B)``, ``Answer: B``.

    The reading of MMLU-Pro (Wang et al. 2024, arXiv 2406.01574) before its random guesses: a base
    model goes on to questions of its own after its answer, so that the first is the one meant.
    """
    for found in _ANNOUNCED.finditer(answer):
        return Reading(found[1] or found[2], None)
    return unread(f"announces no choice: {quoted(answer)}" if answer.strip() else "empty answer")


def _parenthesised(text: str) -> list[str]:
    return sorted(set(_PARENTHESISED.findall(text)))


def _texts(choices: Sequence[str]) -> dict[str, str]:
    """Return normalised text → letter; texts that normalise alike are left out."""
    keys = [key(re.sub(r"^\s*\([A-Z]\)", "", each)) for each in choices]
    return {k: CHOICE_LETTERS[n] for n, k in enumerate(keys) if k and keys.count(k) == 1}


def _known(letter: str, choices: Sequence[str]) -> Reading:
    if not choices or letter in CHOICE_LETTERS[: len(choices)]:
        return Reading(letter, None)
    return unread(f"{letter!r} is none of the {len(choices)} choices")


def _only(found: Sequence[str], answer: str, choices: Sequence[str]) -> Reading:
    if len(found) == 1:
        return _known(found[0], choices)
    if found:
        return unread(f"several choices: {', '.join(found)}")
    return unread(f"no choice in {quoted(answer)}" if answer.strip() else "empty answer")
