"""Texts that stand, exactly or nearly, in other texts: evaluation examples in training text."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from llmops.record import Record

GRAM = 5
"""Characters of a shingle."""
SIGNATURE = 24
"""Shingles of a text that are looked for: its rarest among the texts."""
SHARED = 3
"""Shingles of a signature that a text must share to be compared at all."""
SHORTEST = 20
"""Characters below which a text leaks only where another is all of it: ``yes`` stands everywhere."""


_MARKS = re.compile(r"[.,;:!?…'\"“”‘’`。、·]")
_FIGURES = re.compile(r"\d+")


class Text(Record, frozen=True):
    """A text and where it stands."""

    where: str
    """``file:line``, or an example's id with its field."""
    text: str


class Leak(Record, frozen=True):
    """One text that stands in another."""

    example: str
    found: str
    similarity: float
    """1 where it stands there letter for letter (after ``normalised``), less where it was edited."""
    text: str


def normalised(text: str) -> str:
    """Return the text in one case, without sentence marks and quotes, one space for white space.

    Brackets and operators stay: in some questions they are what is asked.

    >>> normalised("  How MANY, (apples)?")
    'how many (apples)'
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(_MARKS.sub(" ", folded).split())


def leaks(texts: Iterable[Text], others: Iterable[Text], threshold: float) -> Iterator[Leak]:
    """Yield each of ``texts`` that stands in one of ``others``, in the order of the others.

    The similarity is that of the text to the most similar stretch of the other of its length:
    1 - (insertions + deletions) / (lengths' sum). To be compared at all, both must share 3 of the
    text's 24 rarest shingles of 5 characters, so that 10,000 texts against 100,000 take seconds; a
    text in which nearly every word was changed is not found. A text of fewer than 20 characters
    counts only where the whole other is equal; one whose numbers the other lacks is another question.

    Args:
        threshold: the least similarity that is told, 0 to 1.
    """
    from rapidfuzz import fuzz

    ours = [(text, normalised(text.text)) for text in texts]
    whole, index = _whole(ours), _index([folded for _, folded in ours])
    for other in others:
        folded = normalised(other.text)
        exact = whole.get(folded, [])
        yield from (_leak(ours[number][0], other, 1.0) for number in exact)
        figures = set(_FIGURES.findall(folded))
        for number in sorted(_candidates(folded, index) - set(exact)):
            text, mine = ours[number]
            if not figures.issuperset(_FIGURES.findall(mine)):
                continue
            score = _similarity(fuzz, mine, folded, threshold)
            if score >= threshold:
                yield _leak(text, other, score)


def _similarity(fuzz: object, mine: str, other: str, threshold: float) -> float:
    measure = fuzz.partial_ratio if len(other) > len(mine) else fuzz.ratio  # type: ignore[attr-defined]
    return float(measure(mine, other, score_cutoff=100 * threshold)) / 100


def _leak(text: Text, other: Text, similarity: float) -> Leak:
    return Leak(example=text.where, found=other.where, similarity=round(similarity, 3), text=text.text)


def _whole(ours: Sequence[tuple[Text, str]]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for number, (_, folded) in enumerate(ours):
        if folded:
            found[folded].append(number)
    return found


def _index(texts: Sequence[str]) -> dict[str, list[int]]:
    """Return shingle → numbers of the texts that have it in their signature."""
    shingled = [_shingles(text) if len(text) >= SHORTEST else set() for text in texts]
    common = Counter(shingle for shingles in shingled for shingle in shingles)
    index: dict[str, list[int]] = defaultdict(list)
    for number, shingles in enumerate(shingled):
        for shingle in sorted(shingles, key=lambda each: (common[each], each))[:SIGNATURE]:
            index[shingle].append(number)
    return index


def _shingles(text: str) -> set[str]:
    return {text[start : start + GRAM] for start in range(len(text) - GRAM + 1)}


def _candidates(text: str, index: dict[str, list[int]]) -> set[int]:
    shared = Counter(number for shingle in _shingles(text) & index.keys() for number in index[shingle])
    return {number for number, count in shared.items() if count >= SHARED}
