"""What two sequences have in common, in order: the one door to rapidfuzz."""

from collections.abc import Callable, Sequence
from functools import cache

from llmops.unicode_forms import normal_form


def edit_similarity(reads: Sequence[str], targets: Sequence[str]) -> list[float]:
    """Return 1 − Levenshtein distance / length of the longer text, 0 to 1; two empty texts have 1.

    Characters of composed (NFC) text, so that a Korean syllable is one; case and space count. The
    time grows with the product of the lengths: two texts of 100,000 characters take about 0.4 s.
    """
    from rapidfuzz.distance import Levenshtein

    return [
        Levenshtein.normalized_similarity(normal_form("NFC", read), normal_form("NFC", target))
        for read, target in zip(reads, targets, strict=True)
    ]


def common_subsequence(ours: Sequence[str], theirs: Sequence[str]) -> int:
    """Return the length of the longest common subsequence of tokens."""
    return _subsequences()(ours, theirs)


@cache
def _subsequences() -> Callable[[Sequence[str], Sequence[str]], int]:
    from rapidfuzz.distance import LCSseq

    return LCSseq.similarity
