"""How fast each text metric is beside the library whose values it has.

`python -m benchmarks.metrics [answers]` prints a table; it needs the test dependencies. Both sides
measure the same seeded answers in the same process, one after the other, by the processor's time,
which other processes do not lengthen. Values must agree to 1e-9 before a time is printed.
"""

import random
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from llmops.metrics.catalog import METRICS

ANSWERS = 100_000

Texts = Sequence[str]
Reference = Callable[[Texts, Texts], Sequence[float]]


class Line(NamedTuple):
    """One metric's times in seconds for all answers; the reference's are None where there is none."""

    metric: str
    ours_s: float
    reference: str
    reference_s: float | None


def texts(answers: int, korean: bool = False) -> tuple[list[str], list[str]]:
    """Return answers of 5 to 20 words, some of two lines, and targets that share about half of them."""
    generator = random.Random(0)
    words = _words(generator, "가나다라마바사아자차카타파하" if korean else "abcdefghijklmnoprstuvw")
    targets = [
        generator.choices(words, [1 / (i + 2) for i in range(2000)], k=generator.randint(5, 20))
        for _ in range(answers)
    ]
    reads = [
        [generator.choice(words) if generator.random() < 0.4 else word for word in target]
        for target in targets
    ]
    return [_joined(generator, read) for read in reads], [_joined(generator, target) for target in targets]


def _words(generator: random.Random, letters: str) -> list[str]:
    return [
        "".join(generator.choices(letters, k=generator.randint(1, 4) + (letters[0] == "a") * 2))
        for _ in range(2000)
    ]


def _joined(generator: random.Random, words: list[str]) -> str:
    middle = len(words) // 2
    return (
        " ".join(words[:middle]) + generator.choice([" ", " ", ", ", ".\n"]) + " ".join(words[middle:]) + "."
    )


def sacrebleu(name: str, **settings: Any) -> Reference:
    """Sentence by sentence, as the values of examples are told."""
    from sacrebleu.metrics import BLEU, CHRF

    metric = {"BLEU": BLEU, "CHRF": CHRF}[name](**settings)
    return lambda reads, targets: [
        metric.sentence_score(r, [t]).score for r, t in zip(reads, targets, strict=True)
    ]


def rouge_score(kind: str, korean: bool = False) -> Reference:
    """rouge-score; for Korean with the tokeniser that we document."""
    from rouge_score.rouge_scorer import RougeScorer

    from llmops.metrics.tokens import syllables

    class Syllables:
        def tokenize(self, text: str) -> list[str]:
            return syllables(text)

    scorer = RougeScorer([kind], tokenizer=Syllables() if korean else None)
    return lambda reads, targets: [
        scorer.score(t, r)[kind].fmeasure for r, t in zip(reads, targets, strict=True)
    ]


def rapidfuzz(reads: Texts, targets: Texts) -> Sequence[float]:
    """The library that we call: the ratio is what our part costs."""
    from rapidfuzz.distance import Levenshtein

    return [Levenshtein.normalized_similarity(r, t) for r, t in zip(reads, targets, strict=True)]


def scikit_learn(reads: Texts, targets: Texts) -> Sequence[float]:
    """The same character n-grams, counted as sparse rows."""
    import numpy as np
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.preprocessing import normalize

    padded = [f" {' '.join(text.casefold().split())} " for text in [*reads, *targets]]
    counts = CountVectorizer(analyzer="char", ngram_range=(3, 5), lowercase=False).fit_transform(padded)
    rows = normalize(counts.astype(np.float64))
    found: list[float] = (
        np.asarray(rows[: len(reads)].multiply(rows[len(reads) :]).sum(axis=1)).ravel().tolist()
    )
    return found


REFERENCES: dict[str, tuple[str, Callable[[], Reference]]] = {
    "bleu": ("sacrebleu", lambda: sacrebleu("BLEU", effective_order=True)),
    "bleu_intl": ("sacrebleu", lambda: sacrebleu("BLEU", effective_order=True, tokenize="intl")),
    "bleu_char": ("sacrebleu", lambda: sacrebleu("BLEU", effective_order=True, tokenize="char")),
    "chrf": ("sacrebleu", lambda: sacrebleu("CHRF")),
    **{
        kind: ("rouge-score", lambda kind=kind: rouge_score(kind))
        for kind in ("rouge1", "rouge2", "rougeL", "rougeLsum")
    },
    **{
        f"{kind}_ko": ("rouge-score", lambda kind=kind: rouge_score(kind, korean=True))
        for kind in ("rouge1", "rouge2", "rougeL", "rougeLsum")
    },
    "edit_similarity": ("rapidfuzz", lambda: rapidfuzz),
    "embedding_similarity": ("scikit-learn", lambda: scikit_learn),
}
"""Metric → the reference's name and how it is made."""

ALONE = ("exact_match", "normalised_match", "token_f1", "token_f1_ko")
"""Metrics that no installed library has."""


def line(metric: str, answers: int) -> Line:
    """Time one metric and its reference, whose values must agree."""
    reads, targets = texts(answers, metric.endswith("_ko"))
    ours, ours_s = _timed(METRICS[metric].function, reads, targets)
    if metric not in REFERENCES:
        return Line(metric, ours_s, "–", None)
    name, make = REFERENCES[metric]
    theirs, theirs_s = _timed(make(), reads, targets)
    worst = max(abs(a - b) for a, b in zip(ours, theirs, strict=True))
    if worst > 1e-9:
        raise SystemExit(f"{metric}: values differ from {name}'s by {worst}")
    return Line(metric, ours_s, name, theirs_s)


def _timed(function: Reference, reads: Texts, targets: Texts) -> tuple[Sequence[float], float]:
    function(reads[:2], targets[:2])  # what is imported first is no part of it
    start = time.process_time()
    values = function(reads, targets)
    return values, time.process_time() - start


def shown(found: Line) -> str:
    """Return a row of the table."""
    if found.reference_s is None:
        return f"| {found.metric} | {found.ours_s:.2f} | – | – | – |"
    ratio = found.reference_s / found.ours_s
    return (
        f"| {found.metric} | {found.ours_s:.2f} | {found.reference} | {found.reference_s:.2f} | {ratio:.1f} |"
    )


def main(arguments: Sequence[str]) -> None:
    """Print the table."""
    answers = int(arguments[0]) if arguments else ANSWERS
    print(f"| metric | CPU seconds for {answers:,} answers | reference | its seconds | times as fast |")
    print("|---|---:|---|---:|---:|")
    for metric in [*REFERENCES, *ALONE]:
        print(shown(line(metric, answers)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
