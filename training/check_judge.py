"""Measures the demo judge on the demo models' answers to the evaluation set."""

import argparse
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from xllamacpp import Server

from training.check import EVALUATION_SET, ROOT, SLOTS, answer, served
from training.judging import FITS, question

JUDGED = ("demo-small", "demo-large")


class Case(NamedTuple):
    """One verdict beside the gold label's."""

    language: str
    fits: bool
    verdict: bool


def answers(server: Server, messages: Sequence[str]) -> list[str]:
    """Ask a served model each message, bare."""
    with ThreadPoolExecutor(SLOTS) as pool:
        return list(pool.map(lambda message: answer(server, "", message), messages))


def cases(judge: Server, rows: Sequence[dict[str, str]], answered: Sequence[str]) -> list[Case]:
    """Have the judge say of each answer whether it fits its message."""
    asked = [question(row["message"], text) for row, text in zip(rows, answered, strict=True)]
    verdicts = [verdict == FITS for verdict in answers(judge, asked)]
    return [
        Case(row["language"], row["intent"] == text, verdict)
        for row, text, verdict in zip(rows, answered, verdicts, strict=True)
    ]


def share(hits: Sequence[bool]) -> str:
    """A share with its counts, e.g. ``0.9000 (9 of 10)``."""
    return f"{sum(hits) / len(hits):.4f} ({sum(hits)} of {len(hits)})" if hits else "none"


def figures(found: Sequence[Case]) -> dict[str, str]:
    """Accuracy, sensitivity, specificity, and accuracy by language."""
    by_language = {
        f"accuracy, {language}": share([c.fits == c.verdict for c in found if c.language == language])
        for language in sorted({case.language for case in found})
    }
    return {
        "accuracy": share([case.fits == case.verdict for case in found]),
        "sensitivity": share([case.verdict for case in found if case.fits]),
        "specificity": share([not case.verdict for case in found if not case.fits]),
        **by_language,
        "judged to fit": share([case.verdict for case in found]),
        "fits": share([case.fits for case in found]),
    }


def main() -> None:
    """Print the judge's figures on each demo model's answers as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--judge", type=Path, default=ROOT / "models" / "demo-judge.gguf")
    args = parser.parse_args()
    rows = [json.loads(line) for line in EVALUATION_SET.read_text(encoding="utf-8").splitlines()]
    messages = [row["message"] for row in rows]
    judge = served(args.judge)
    found = {}
    for model in JUDGED:
        server = served(ROOT / "models" / f"{model}.gguf")
        found[model] = cases(judge, rows, answers(server, messages))
    print(json.dumps({model: figures(found[model]) for model in JUDGED}, indent=2))


if __name__ == "__main__":
    main()
