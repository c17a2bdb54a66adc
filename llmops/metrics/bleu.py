"""BLEU, with sacrebleu's tokenisers and its numbers."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from llmops.metrics.ngrams import shared, totals
from llmops.unicode_forms import normal_form

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

ORDER = 4
"""The longest n-gram."""

AT_ONCE = 4096
"""Pairs after which sacrebleu's cache of tokenised texts is emptied: it holds 65,536, however long."""


def statistics(tokeniser: str, reads: Sequence[str], targets: Sequence[str]) -> list[list[int]]:
    """Return what corpus BLEU is told from, a row for each pair; rows add up to those of a corpus.

    A row: tokens of the answer, of the target, n-grams shared (n = 1 … 4), n-grams of the answer.
    Texts are composed (NFC) first. ``13a`` parts ASCII punctuation from words, ``intl`` all of
    Unicode's, ``char`` takes every character as a token. ``13a`` and ``intl`` leave a Korean word
    together with its particle; ``char`` does not.

    Args:
        tokeniser: one of sacrebleu's that need no download.
    """
    if len(reads) != len(targets):
        raise ValueError(f"{len(reads)} reads for {len(targets)} targets; pairs need one of each")
    tokenised = _opened(tokeniser)
    return [
        row for start in range(0, len(reads), AT_ONCE) for row in _block(tokenised, reads, targets, start)
    ]


def _block(tokenised: Any, reads: Sequence[str], targets: Sequence[str], start: int) -> Iterator[list[int]]:
    for place in range(start, min(start + AT_ONCE, len(reads))):
        ours, theirs = (
            tokenised(normal_form("NFC", text).rstrip()).split() for text in (reads[place], targets[place])
        )
        yield [len(ours), len(theirs), *shared(ours, theirs, ORDER), *totals(len(ours), ORDER)]
    for part in (tokenised, getattr(tokenised, "_post_tokenizer", tokenised)):
        remembering: Any = type(part).__call__
        remembering.cache_clear()


def _opened(tokeniser: str) -> Any:
    from sacrebleu.metrics.bleu import BLEU

    return BLEU(tokenize=tokeniser).tokenizer


def corpus(sums: "Floats", effective_order: bool = False) -> "Floats":
    """Return BLEU, 0 to 100, of (… × 10) sums of rows: brevity penalty · geometric mean of precisions.

    Papineni et al. 2002 (P02-1040), as in sacrebleu: case counts, one target an answer. The k-th
    order without a match counts 1/2^k of a match (``exp``: Chen & Cherry 2014, W14-3346, method
    3). An order that the answers are too short for has precision 0, which makes all of it 0,
    unless ``effective_order`` leaves it out.
    """
    import numpy as np

    ours, theirs = sums[..., 0], sums[..., 1]
    matches, total = sums[..., 2 : 2 + ORDER], sums[..., 2 + ORDER :]
    known = total > 0
    halvings = np.cumsum(known & (matches == 0), axis=-1)
    precision = np.where(matches > 0, matches, 0.5**halvings) / np.where(known, total, 1.0)
    order = known.sum(axis=-1) if effective_order else ORDER
    logs = np.where(known, np.log(precision), 0.0).sum(axis=-1) / np.maximum(order, 1)
    brevity = np.exp(np.minimum(0.0, 1 - theirs / np.maximum(ours, 1.0)))
    whole = matches.any(axis=-1) & (effective_order | known.all(axis=-1))
    values: Floats = np.where(whole, 100 * brevity * np.exp(logs), 0.0)
    return values


def sentence(sums: "Floats") -> "Floats":
    """Return each row's own BLEU, whose order stops where the answer has no more n-grams."""
    return corpus(sums, effective_order=True)
