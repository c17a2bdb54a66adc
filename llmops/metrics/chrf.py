"""chrF, with sacrebleu's numbers."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from llmops.metrics.ngrams import shared, totals
from llmops.unicode_forms import normal_form

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

ORDER = 6
"""The longest character n-gram."""

BETA = 2
"""How much more recall weighs than precision."""


def statistics(reads: Sequence[str], targets: Sequence[str]) -> list[list[int]]:
    """Return what corpus chrF is told from, a row for each pair; rows add up to those of a corpus.

    A row: n-grams of the answer, of the target and shared, n = 1 … 6 each. White space is left
    out, case is kept. Texts are composed (NFC) first, so that a Korean character is a syllable.
    """
    return [_row(read, target) for read, target in zip(reads, targets, strict=True)]


def _row(read: str, target: str) -> list[int]:
    ours, theirs = ("".join(normal_form("NFC", text).split()) for text in (read, target))
    there = totals(len(theirs), ORDER)
    # As in sacrebleu, an order that the target is too short for does not count against the answer.
    here = [own if other else 0 for own, other in zip(totals(len(ours), ORDER), there, strict=True)]
    return [*here, *there, *shared(ours, theirs, ORDER)]


def corpus(sums: "Floats") -> "Floats":
    """Return chrF, 0 to 100, of (… × 18) sums of rows: (1 + β²)·P·R / (β²·P + R), β = 2.

    Popović 2015 (W15-3049), as in sacrebleu: no word n-grams; P and R are means over the orders
    that both texts have.
    """
    import numpy as np

    ours, theirs, matches = np.split(sums, 3, axis=-1)
    known = (ours > 0) & (theirs > 0)
    orders = np.maximum(known.sum(axis=-1), 1)
    precision, recall = (
        np.where(known, matches / np.maximum(total, 1.0), 0.0).sum(axis=-1) / orders
        for total in (ours, theirs)
    )
    below = BETA**2 * precision + recall
    values: Floats = 100 * (1 + BETA**2) * precision * recall / np.where(below > 0, below, 1.0)
    return values
