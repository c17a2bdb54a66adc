"""Metrics of how much of the target an answer's text shares."""

from collections import Counter
from collections.abc import Iterable, Sequence

from llmops.metrics.match import normalised
from llmops.metrics.tokens import syllables


def token_f1(reads: Sequence[str], targets: Sequence[str]) -> list[float]:
    """Return the F1 of the words that answer and target share, 0 to 1.

    SQuAD's F1 (Rajpurkar et al. 2016, arXiv 1606.05250): words of ``normalised`` text as bags,
    2·shared / (words of the answer + words of the target). Where either has no word left, 1 when
    neither has, else 0. A Korean word is what stands between spaces, its particle included, so
    ``서울은`` and ``서울`` share nothing: ``token_f1_ko`` is for Korean.
    """
    return [
        _f1(normalised(read).split(), normalised(target).split())
        for read, target in zip(reads, targets, strict=True)
    ]


def token_f1_ko(reads: Sequence[str], targets: Sequence[str]) -> list[float]:
    """Return the F1 of the ``syllables`` that answer and target share, 0 to 1.

    KorQuAD's F1 (Lim et al. 2019, arXiv 1909.07005) is of syllables too; here words in other
    scripts stay whole, and no text is left out but punctuation and symbols.
    """
    return [_f1(syllables(read), syllables(target)) for read, target in zip(reads, targets, strict=True)]


def _f1(read: Iterable[str], target: Iterable[str]) -> float:
    ours, theirs = Counter(read), Counter(target)
    if not ours or not theirs:
        return float(ours == theirs)
    return 2 * (ours & theirs).total() / (ours.total() + theirs.total())
