"""ROUGE, with rouge-score's numbers."""

from collections.abc import Callable, Sequence
from functools import partial

from llmops.errors import UserError
from llmops.metrics.alignment import common_subsequence
from llmops.metrics.ngrams import clipped
from llmops.metrics.tokens import ascii_words, syllables
from llmops.metrics.union_lcs import union_hits

Columns = Callable[[Sequence[str], Sequence[str]], list[float]]
Tokeniser = Callable[[str], list[str]]

MOST_LOST = 0.2
"""Share of the targets' characters that may be letters which rouge-score's tokeniser drops."""

KINDS = {
    "rouge1": "words shared with the target",
    "rouge2": "pairs of words shared with the target",
    "rougeL": "longest common subsequence of words",
    "rougeLsum": "longest common subsequences of words, line by line",
}


def rouge(kind: str) -> Columns:
    """Return the F1 of ROUGE, 0 to 1 (Lin 2004, W04-1013), of rouge-score 0.1.2 without stemmer.

    Words are runs of a–z and 0–9 in lower case (``ascii_words``). The column is refused with a
    UserError where most text is in another script, of which nothing would be left to compare.
    """
    return partial(_english, kind)


def rouge_ko(kind: str) -> Columns:
    """Return the F1 of ROUGE, 0 to 1, whose tokens are those of ``syllables``: for Korean, and mixed text.

    The value is what rouge-score 0.1.2 gives when it is handed that tokeniser.
    """
    return partial(_column, kind, syllables)


def _english(kind: str, reads: Sequence[str], targets: Sequence[str]) -> list[float]:
    lost = _lost(targets)
    if lost > MOST_LOST:
        raise UserError(
            f"metrics: {kind!r} knows a–z and 0–9 only, and {lost:.0%} of the targets is in other letters; "
            f"use '{kind}_ko'"
        )
    return _column(kind, ascii_words, reads, targets)


def _lost(targets: Sequence[str]) -> float:
    """Return the share of the targets' characters that are letters of other scripts."""
    foreign = (target for target in targets if not target.isascii())
    others = sum(char.isalpha() and not char.isascii() for target in foreign for char in target)
    return others / sum(map(len, targets)) if others else 0.0


def _column(kind: str, tokeniser: Tokeniser, reads: Sequence[str], targets: Sequence[str]) -> list[float]:
    score = {"rouge1": _ngrams(1), "rouge2": _ngrams(2), "rougeL": _subsequence, "rougeLsum": _lines}[kind]
    return [score(read, target, tokeniser) for read, target in zip(reads, targets, strict=True)]


def _ngrams(n: int) -> Callable[[str, str, Tokeniser], float]:
    def score(read: str, target: str, tokeniser: Tokeniser) -> float:
        ours, theirs = tokeniser(read), tokeniser(target)
        return _f1(clipped(ours, theirs, n), len(ours) - n + 1, len(theirs) - n + 1)

    return score


def _subsequence(read: str, target: str, tokeniser: Tokeniser) -> float:
    ours, theirs = tokeniser(read), tokeniser(target)
    return _f1(common_subsequence(ours, theirs), len(ours), len(theirs))


def _lines(read: str, target: str, tokeniser: Tokeniser) -> float:
    if "\n" not in read and "\n" not in target:
        return _subsequence(read, target, tokeniser)
    ours, theirs = ([tokeniser(line) for line in text.split("\n")] for text in (read, target))
    return _f1(union_hits(theirs, ours), sum(map(len, ours)), sum(map(len, theirs)))


def _f1(hits: int, ours: int, theirs: int) -> float:
    return 2 * hits / (ours + theirs) if hits else 0.0
