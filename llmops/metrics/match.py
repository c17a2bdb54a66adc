"""Metrics that are 1 where answer and target are the same, in some sense, and else 0."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from fractions import Fraction

from llmops.errors import UserError
from llmops.unicode_forms import normal_form

MOST_DIGITS = 2000
"""Longer digits are no number that an answer gives."""

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_EXACT = re.compile(r"[-+]?(\d{1,3}(?:,\d{3})+|\d*)(?:\.(\d*)|/(\d+))?")


def label_accuracy(reads: Sequence[str], targets: Sequence[str]) -> list[float]:
    """Return 1 where the label read is the target label."""
    return [float(read == target) for read, target in zip(reads, targets, strict=True)]


def exact_match(reads: Sequence[str], targets: Sequence[str]) -> list[float]:
    """Return 1 where both texts are the same but for white space around them and Unicode composition."""
    return _same(lambda text: normal_form("NFC", text).strip(), reads, targets)


def normalised_match(reads: Sequence[str], targets: Sequence[str]) -> list[float]:
    """Return 1 where both texts are the same after ``normalised``."""
    return _same(normalised, reads, targets)


def numeric_match(reads: Sequence[str], targets: Sequence[str]) -> list[float]:
    """Return 1 where both are the same number, exactly: ``0.50``, ``.5`` and ``1/2`` are one number.

    Raises:
        UserError: one of them is no plain number; thousands may have commas.
    """
    return _same(exact_number, reads, targets)


def normalised(text: str) -> str:
    """Return the text in lower case without punctuation, symbols, English articles and extra space.

    The steps of SQuAD's evaluation (Rajpurkar et al. 2016, arXiv 1606.05250) for all of Unicode:
    NFKC, case folding, then every character of the categories P and S is removed, which joins
    what stood around it (``-5`` becomes ``5``: numbers want ``numeric_match``). Korean has no
    articles; its particles stay, so ``서울은`` is not ``서울``.

    >>> normalised("The  Eiffel-Tower!")
    'eiffeltower'
    """
    folded = normal_form("NFKC", text).casefold()
    letters = "".join(char for char in folded if unicodedata.category(char)[0] not in "PS")
    return " ".join(_ARTICLES.sub(" ", letters).split())


def exact_number(text: str) -> Fraction:
    """Return the number that a text is.

    >>> exact_number("1,200.50")
    Fraction(2401, 2)
    """
    if text.isdecimal() and len(text) <= MOST_DIGITS:
        return Fraction(int(text))
    found = _EXACT.fullmatch(text.strip()) if len(text) <= MOST_DIGITS else None
    if found is None or not _complete(*found.groups()):
        shown = text if len(text) <= 60 else text[:59] + "…"
        raise UserError(f"numeric_match: {shown!r} is no number; write it like 1200, 0.5 or 1/3")
    return Fraction(found.group().replace(",", ""))


def _complete(whole: str, decimals: str | None, denominator: str | None) -> bool:
    if denominator is not None:
        return bool(whole) and int(denominator) != 0
    return bool(whole or decimals)


def _same(form: Callable[[str], object], reads: Sequence[str], targets: Sequence[str]) -> list[float]:
    return [float(form(read) == form(target)) for read, target in zip(reads, targets, strict=True)]
