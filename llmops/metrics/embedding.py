"""How near two texts are as vectors."""

import math
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence

from llmops.metrics.ngrams import grams
from llmops.unicode_forms import normal_form

Vector = Mapping[Hashable, float]
"""Feature → weight; a feature that is not named has weight 0."""

Embedder = Callable[[str], Vector]

SIZES = (3, 4, 5)
"""Lengths of the character n-grams."""


def embedding_similarity(embedder: Embedder, reads: Sequence[str], targets: Sequence[str]) -> list[float]:
    """Return the cosine between the vectors of answer and target; 1 where neither has any feature."""
    return [_cosine(embedder(read), embedder(target)) for read, target in zip(reads, targets, strict=True)]


def char_ngrams(text: str) -> Vector:
    """Return how often each 3-, 4- and 5-gram of characters occurs: a vector of spelling, not of meaning.

    It needs no model and no download. It sees typing errors, endings and word order softly, but
    a paraphrase in other words is far. Text is NFKD, case folded and squeezed, with a space on
    either side; NFKD parts a Korean syllable into its letters (``했`` is ``ㅎㅐㅆ``), so that the
    forms of a verb share n-grams.
    """
    words = normal_form("NFKD", text).casefold().split()
    padded = f" {' '.join(words)} " if words else ""
    return Counter(gram for n in SIZES for gram in grams(padded, n))


def _cosine(ours: Vector, theirs: Vector) -> float:
    if not ours or not theirs:
        return float(not ours and not theirs)
    few, many = sorted((ours, theirs), key=len)
    dot = sum(weight * many[feature] for feature, weight in few.items() if feature in many)
    return min(1.0, dot / math.sqrt(_square(ours) * _square(theirs)))


def _square(vector: Vector) -> float:
    return sum(weight * weight for weight in vector.values())
