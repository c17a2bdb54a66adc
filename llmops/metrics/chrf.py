"""chrF, with sacrebleu's numbers."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from llmops.metrics.metric import Pooled
from llmops.metrics.ngrams import shared, totals
from llmops.unicode_forms import normal_form

if TYPE_CHECKING:
    from llmops.metrics.metric import Floats

ORDER = 6
"""The longest character n-gram."""

BETA = 2
"""How much more recall weighs than precision."""


def chrf() -> Pooled:
    """Return corpus chrF, 0 to 100 (Popović 2015, WMT15, pages 392–395).

    sacrebleu's value: character n-grams to n = 6, no word n-grams, β = 2, white space left out,
    case kept. Precision and recall are means over the orders that both texts have. Texts are
    composed (NFC) first, so that a Korean character is a syllable.

    A row: n-grams of the answer, of the target and shared, for n = 1 … 6 each.
    """
    return Pooled(_statistics, _corpus, _corpus)


def _statistics(reads: Sequence[str], targets: Sequence[str]) -> list[list[int]]:
    return [_row(read, target) for read, target in zip(reads, targets, strict=True)]


def _row(read: str, target: str) -> list[int]:
    ours, theirs = ("".join(normal_form("NFC", text).split()) for text in (read, target))
    there = totals(len(theirs), ORDER)
    # As in sacrebleu, an order that the target is too short for does not count against the answer.
    here = [own if other else 0 for own, other in zip(totals(len(ours), ORDER), there, strict=True)]
    return [*here, *there, *shared(ours, theirs, ORDER)]


def _corpus(sums: "Floats") -> "Floats":
    """(corpora × 18) sums → (1 + β²)·P·R / (β²·P + R)."""
    import numpy as np

    ours, theirs, matches = sums[:, :ORDER], sums[:, ORDER : 2 * ORDER], sums[:, 2 * ORDER :]
    known = (ours > 0) & (theirs > 0)
    orders = np.maximum(known.sum(axis=1), 1)
    precision, recall = (
        np.where(known, matches / np.maximum(total, 1.0), 0.0).sum(axis=1) / orders for total in (ours, theirs)
    )
    below = BETA**2 * precision + recall
    values: Floats = 100 * (1 + BETA**2) * precision * recall / np.where(below > 0, below, 1.0)
    return values
