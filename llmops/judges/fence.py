"""Marks around texts that are judged, which no such text can hold."""

from collections.abc import Mapping
from hashlib import sha256

DIGITS = 16


def fence(texts: Mapping[str, str]) -> str:
    """Return a word that stands in none of the texts and is told by them alone.

    It is the beginning of their sha256, so the same request is the same bytes and stays in the store;
    a text that was made to hold it gets another.
    """
    said = "\x1f".join(f"{name}\x1e{text}" for name, text in sorted(texts.items()))
    number = 0
    while True:
        mark = sha256(f"{number} {said}".encode("utf-8", "surrogatepass")).hexdigest()[:DIGITS]
        if not any(mark in text for text in texts.values()):
            return mark
        number += 1


def fenced(name: str, text: str, mark: str) -> str:
    """Return the text between a beginning and an end that carry the mark.

    >>> print(fenced("answer", "Seoul", "5c1f"))
    <answer-5c1f>
    Seoul
    </answer-5c1f>
    """
    return f"<{name}-{mark}>\n{text}\n</{name}-{mark}>"
