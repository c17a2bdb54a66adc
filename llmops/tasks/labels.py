"""Which of the data set's labels an answer names."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from llmops.errors import UserError
from llmops.tasks.marks import LABEL, decisive
from llmops.tasks.reading import Reading, quoted, unread
from llmops.unicode_forms import normal_form

_JOINS = re.compile(r"[\s_\-]+")
_INSIDE = re.compile(r"[^\W_](?:.*[^\W_])?", re.DOTALL)


_BRACKETED = re.compile(r"\[([^\[\]\n]+)\]")


class _Labels(NamedTuple):
    by_key: dict[str, str]
    """Normalised → as the data set writes it; labels that normalise alike are left out."""
    phrase: re.Pattern[str]
    """Any of the keys as a whole phrase, longest first."""


def label(answer: str, labels: Sequence[str]) -> Reading:
    """Read the one label that the answer names.

    The first of these that finds one: the whole answer is the label; the answer marks it
    (``Answer: refund``, ``정답은 환불입니다``), or else sets it in brackets (``[refund]``, the last of
    them counts); exactly one label stands in it as a whole word or
    phrase. Case, Unicode composition, quotes, punctuation around it, and ``_``, ``-`` or space
    between words make no difference. A Hangul label may carry a particle or an ending
    (``환불입니다``). A label inside a longer one that also stands there does not count.

    Does not cover: negation. ``not refund`` reads as refund.

    Raises:
        UserError: the data set has no labels.
    """
    if not labels:
        raise UserError("task 'label': the data set has no labels; give its card `labels`")
    if answer.strip() in labels:
        return Reading(answer.strip(), None)
    known = _prepared(tuple(labels))
    marks = decisive(answer, LABEL)
    bracketed = [known.by_key[k] for k in map(key, _BRACKETED.findall(answer)) if k in known.by_key]
    if bracketed and not any(mark.firm for mark in marks):
        return Reading(bracketed[-1], None)
    for mark in marks:
        found = _named(mark.text, known)
        if found or mark.firm:
            return _one(found, mark.text if mark.firm else answer)
    return _one(_named(answer, known), answer)


def key(text: str) -> str:
    """Return the text without what makes no difference between labels.

    >>> key(' "Refund_Status." ')
    'refund status'
    """
    folded = normal_form("NFC", text).casefold()
    inside = _INSIDE.search(folded)
    return _JOINS.sub(" ", inside.group()) if inside else ""


def _named(text: str, known: _Labels) -> list[str]:
    whole = key(text)
    if whole in known.by_key:
        return [known.by_key[whole]]
    return list(dict.fromkeys(known.by_key[found] for found in known.phrase.findall(whole)))


def _one(found: list[str], text: str) -> Reading:
    if len(found) == 1:
        return Reading(found[0], None)
    if found:
        return unread(f"several labels: {', '.join(found)}")
    return unread(f"no label in {quoted(text)}" if text.strip() else "empty answer")


@lru_cache(maxsize=16)
def _prepared(labels: tuple[str, ...]) -> _Labels:
    keys = [key(each) for each in labels]
    by_key = {k: each for k, each in zip(keys, labels, strict=True) if k and keys.count(k) == 1}
    return _Labels(by_key, _phrases(sorted(by_key, key=len, reverse=True)))


_LETTER = r"[^\W가-힣]"  # a letter or digit of any script but Hangul


def _phrases(keys: list[str]) -> re.Pattern[str]:
    """Match any of the keys where it is a whole phrase.

    Hangul joins particles to a word's end, so only what stands before it bounds it; a word of
    other letters ends where none of those follows, whether a particle does or not.
    """
    ended = [re.escape(k) + ("" if "가" <= k[-1] <= "힣" else f"(?!{_LETTER})") for k in keys]
    hangul = [e for k, e in zip(keys, ended, strict=True) if "가" <= k[0] <= "힣"]
    others = [e for k, e in zip(keys, ended, strict=True) if not "가" <= k[0] <= "힣"]
    never = "(?!)"
    return re.compile(
        rf"(?<!\w)(?:{'|'.join(hangul) or never})|(?<!{_LETTER})(?:{'|'.join(others) or never})"
    )
