"""Metrics of how much of the target an answer's text shares."""

from collections import Counter
from collections.abc import Sequence
from unicodedata import normalize

from llmops.metrics.match import normalised


def token_f1(reads: Sequence[str], targets: Sequence[str]) -> list[float]:
    """Return the F1 of the words that answer and target share, 0 to 1.

    SQuAD's F1 (Rajpurkar et al. 2016, arXiv 1606.05250): words of ``normalised`` text as bags,
    2·shared / (words of the answer + words of the target). Where either has no word left, 1 when
    neither has, else 0. A Korean word is what stands between spaces, its particle included, so
    ``서울은`` and ``서울`` share nothing: ``chrf`` is softer on Korean.
    """
    return [_f1(read, target) for read, target in zip(reads, targets, strict=True)]


def _f1(read: str, target: str) -> float:
    ours, theirs = Counter(normalised(read).split()), Counter(normalised(target).split())
    if not ours or not theirs:
        return float(ours == theirs)
    return 2 * (ours & theirs).total() / (ours.total() + theirs.total())


def chrf(reads: Sequence[str], targets: Sequence[str]) -> list[float]:
    """Return sacrebleu's sentence chrF, 0 to 100, as sacrebleu has it.

    Character n-grams to n = 6, no word n-grams, β = 2 (Popović 2015, WMT15), white space
    ignored; texts are composed (NFC) first. Their mean is not corpus chrF, which pools n-grams.
    """
    from sacrebleu.metrics.chrf import CHRF

    metric = CHRF()
    pairs = zip(reads, targets, strict=True)
    return [float(metric.sentence_score(normalize("NFC", r), [normalize("NFC", t)]).score) for r, t in pairs]
