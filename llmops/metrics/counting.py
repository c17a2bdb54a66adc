"""What instructions count in an answer: words, sentences, words in capitals."""

import re

_WORD = re.compile(r"\w+")
_CAPITAL = re.compile(r"\w+(?:[-'’.&/]\w+)*+")
_END = re.compile(r"[.!?…]++[\"'”’»)\]*_]*+(?=\s|\Z)|[。！？।؟۔]++")
_SHORT = """
mr mrs ms dr prof rev hon st sr jr gen col sgt capt vs etc inc ltd co corp no fig vol pp eds al ca cf
approx dept est jan feb mar apr jun jul aug sep sept oct nov dec e.g i.e a.m p.m u.s u.k ph.d
"""
_ABBREVIATIONS = frozenset(_SHORT.split())
_MARKER = re.compile(r"(?:\d{1,3}|[ivx]{1,5}|[a-z])\Z", re.IGNORECASE)


def word_count(text: str) -> int:
    """Count the runs of letters, digits and underscores: ``don't`` is two words."""
    return sum(1 for _ in _WORD.finditer(text))


def capital_count(text: str) -> int:
    """Count the words in capitals only; ``A``, ``U.S``, ``STATE-OF-THE-ART`` and ``DON'T`` are one each."""
    return sum(found.group().isupper() for found in _CAPITAL.finditer(text))


def sentence_count(text: str) -> int:
    """Count the sentences: what ends in ``.``, ``!``, ``?``, ``…`` before white space, or in ``。！？।``.

    The end of the text ends its last sentence; a line break alone ends none. The dot of a common
    abbreviation, of an initial or of a list's marker (``1.``) ends none, and three dots only before
    a capital.
    """
    count, start = 0, 0
    for end in _END.finditer(text):
        if _ends(text, start, end):
            count += _speaks(text, start, end.start())
            start = end.end()
    return count + _speaks(text, start, len(text))


def _speaks(text: str, start: int, end: int) -> bool:
    return _WORD.search(text, start, end) is not None


def _ends(text: str, start: int, end: re.Match[str]) -> bool:
    mark = end.group().rstrip("\"'”’»)]*_")
    if mark == ".":
        word = _last_word(text, start, end.start())
        return word.lower() not in _ABBREVIATIONS and not _MARKER.match(word)
    if mark in {"…", "..", "...", "...."}:
        following = text[end.end() : end.end() + 20].lstrip()
        return not following[:1].islower()
    return True


def _last_word(text: str, start: int, end: int) -> str:
    """Return what stands between the last white space and ``end``; long words are no abbreviation."""
    tail = text[max(start, end - 12) : end].split()
    return tail[-1].lstrip("(\"'“‘[*_") if tail else ""
