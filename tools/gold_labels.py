"""The demo's labels: whether each run's answer to a drawn message has the label that it was written for."""

import argparse
import random
from collections.abc import Iterable, Iterator
from pathlib import Path

from llmops import jsonl
from llmops.records import Label, Score

ROOT = Path(__file__).resolve().parent.parent
SUITE, METRIC = "support", "label_accuracy"
FILE = ROOT / "data" / "labels" / f"{SUITE}.jsonl"
EXAMPLES, SEED = 150, 2026
ANNOTATOR, RUBRIC = "gold", "intent-1"


def drawn(scores: Iterable[Score], count: int, seed: int) -> set[str]:
    """Draw examples, each as likely as any other, whatever was answered."""
    ids = sorted({score.example_id for score in scores})
    return set(random.Random(seed).sample(ids, count))


def labels(scores: Iterable[Score], examples: set[str]) -> Iterator[Label]:
    """Yield a label for each run's answer to the drawn examples; an answer without a score does not fit."""
    for score in sorted(scores, key=lambda s: (s.example_id, s.model, s.prompt, s.repeat)):
        if score.metric == METRIC and score.example_id in examples:
            yield Label(
                suite=SUITE,
                example_id=score.example_id,
                annotator=ANNOTATOR,
                label="yes" if score.value == 1 else "no",
                model=score.model,
                prompt=score.prompt,
                repeat=score.repeat,
                comment=f"answered {score.read}",
                rubric=RUBRIC,
            )


def main() -> None:
    """Write the labels of the suite's last scores."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scores", type=Path, default=ROOT / "results" / SUITE / "scores.jsonl")
    parser.add_argument("--out", type=Path, default=FILE)
    args = parser.parse_args()
    scores = list(jsonl.read(args.scores, Score))
    jsonl.write(args.out, labels(scores, drawn(scores, EXAMPLES, SEED)))


if __name__ == "__main__":
    main()
