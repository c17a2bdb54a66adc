"""The scores that a suite's differences are taken to: one run's, from the suite or from an accepted file."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from llmops import jsonl
from llmops.config import PARAMS
from llmops.errors import UserError
from llmops.places import watched
from llmops.records import Score
from llmops.suites import Suite
from llmops.summary import Run

FILE = "baseline.jsonl"
"""Where a published run keeps them."""
WATCHED = ("baselines",)
"""The folder of accepted files, which dvc.yaml has the compare stage depend on."""


class Reference(NamedTuple):
    """The baseline."""

    name: str
    """``model · prompt`` or the accepted file."""
    scores: list[Score]


def reference(root: Path, suite: Suite, scores: Iterable[Score]) -> Reference | None:
    """Return the suite's baseline; None when it names none, or one that was not asked.

    Args:
        scores: those of the suite.

    Raises:
        UserError: an accepted file that is not there, or that holds several runs.
    """
    chosen = suite.baseline
    if chosen is None:
        return None
    if chosen.file is not None:
        watched(chosen.file, WATCHED, f"{PARAMS}: baseline: file")
    held = list(jsonl.read(root / chosen.file, Score) if chosen.file is not None else scores)
    found = [
        s for s in held if s.model == (chosen.model or s.model) and s.prompt == (chosen.prompt or s.prompt)
    ]
    if chosen.file is not None and len(_runs(found)) != 1:
        raise UserError(
            f"{PARAMS}: baseline: {chosen.file} holds the runs {_runs(held)}; name one by model and prompt"
        )
    return named(suite, found)


def named(suite: Suite, scores: list[Score]) -> Reference | None:
    """Return one run's scores under the name that the baseline has in the suite's estimates."""
    file = suite.baseline.file if suite.baseline else None
    return Reference(file or _runs(scores)[0], scores) if scores else None


def _runs(scores: Iterable[Score]) -> list[str]:
    return sorted({str(Run(score.model, score.prompt)) for score in scores})
