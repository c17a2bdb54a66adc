"""Unicode normalisation in linear time."""

import unicodedata
from typing import Literal

MOST_COMBINING = 30
"""Combining characters in a row that any language needs (Unicode's Stream-Safe Text Format)."""


def normal_form(form: Literal["NFC", "NFKC", "NFKD"], text: str) -> str:
    """Return the text in a normal form of Unicode, cut by ``stream_safe`` first."""
    return text if text.isascii() else unicodedata.normalize(form, stream_safe(text))


def stream_safe(text: str) -> str:
    """Return the text fit for Unicode normalisation, whose time grows with the square of such runs."""
    if len(text) <= MOST_COMBINING or not any(map(unicodedata.combining, text)):
        return text
    kept, run = [], 0
    for char in text:
        run = run + 1 if unicodedata.combining(char) else 0
        if run <= MOST_COMBINING:
            kept.append(char)
    return "".join(kept)
