"""The scores that a suite's differences are taken to: one run's, of the suite, a file or a revision."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from llmops import jsonl
from llmops.acceptance import FOLDER, acceptance, hashes, unchanged
from llmops.config import PARAMS
from llmops.errors import UserError
from llmops.places import RESULTS, watched
from llmops.records import Example, Score
from llmops.revisions import read_at
from llmops.suites import Baseline, Suite
from llmops.summary import Run

FILE = "baseline.jsonl"
"""Where a published run keeps them."""
WATCHED = (FOLDER,)
"""The folder of accepted files, which dvc.yaml has the compare stage depend on."""

Row = TypeVar("Row")


class Reference(NamedTuple):
    """The baseline."""

    name: str
    """``model · prompt``, the accepted file, or the revision with its run."""
    scores: list[Score]
    note: str = ""
    """In words, that it is of another version of the data set, or that nobody knows of which."""


class _Held(NamedTuple):
    """Scores, with the examples that they are of: id → sha256, None where no one wrote it down."""

    scores: list[Score]
    examples: Mapping[str, str] | None = None


def reference(
    root: Path, suite: Suite, scores: Iterable[Score], examples: Iterable[Example] = ()
) -> Reference | None:
    """Return the suite's baseline; None when it names none, or one that was not asked.

    A baseline of another version of the data set is held to the examples that did not change.

    Args:
        scores: those of the suite.
        examples: those of the suite; without them every baseline passes for one of this version.

    Raises:
        UserError: an accepted file or revision that is not there, that holds several runs, or that
            shares no example with the suite.
    """
    chosen = suite.baseline
    if chosen is None:
        return None
    ours = list(scores)
    held = _held(root, chosen, ours)
    found = [
        s
        for s in held.scores
        if s.model == (chosen.model or s.model) and s.prompt == (chosen.prompt or s.prompt)
    ]
    if chosen.elsewhere and len(_runs(found)) != 1:
        raise UserError(
            f"{PARAMS}: baseline: {chosen.elsewhere} holds the runs {_runs(held.scores)}; "
            "name one by model and prompt"
        )
    made = named(suite, found)
    if made and chosen.file and held.examples is None:
        return made._replace(
            note=f"nothing beside {made.name} tells the data set's version; taken for this one"
        )
    return made and _of_this_version(made, held.examples, hashes(examples))


def _held(root: Path, chosen: Baseline, ours: list[Score]) -> _Held:
    if chosen.file is not None:
        path = root / watched(chosen.file, WATCHED, f"{PARAMS}: baseline: file")
        told = acceptance(path)
        return _Held(list(jsonl.read(path, Score)), told.examples if told else None)
    if chosen.revision is not None and ours:
        return _at(root, chosen.revision, ours[0].suite)
    return _Held(ours)


def _at(root: Path, revision: str, suite: str) -> _Held:
    """Return a suite's scores as a revision has them."""
    folder = f"{RESULTS}/{suite}"
    scores = list(_rows(read_at(root, revision, f"{folder}/scores.jsonl"), Score))
    examples: Iterator[Example] = _rows(read_at(root, revision, f"{folder}/examples.jsonl"), Example)
    return _Held(scores, hashes(examples))


def _rows(content: bytes, kind: type[Row]) -> Iterator[Row]:
    decoder = msgspec.json.Decoder(kind)
    return (decoder.decode(line) for line in content.splitlines() if line)


def _of_this_version(made: Reference, before: Mapping[str, str] | None, now: Mapping[str, str]) -> Reference:
    if not before or not now or before == now:
        return made
    same = unchanged(before, now)
    if not same:
        raise UserError(
            f"{PARAMS}: baseline: {made.name} shares no unchanged example with the suite; accept a new one"
        )
    note = f"{made.name} is of another version of the data set; compared over the {len(same):,} of "
    kept = [score for score in made.scores if score.example_id in same]
    return Reference(made.name, kept, f"{note}{len(now):,} examples that did not change")


def named(suite: Suite, scores: list[Score]) -> Reference | None:
    """Return one run's scores under the name that the baseline has in the suite's estimates."""
    if not scores:
        return None
    chosen, run = suite.baseline, _runs(scores)[0]
    if chosen and chosen.revision:
        return Reference(f"{chosen.revision}: {run}", scores)
    return Reference(chosen.file if chosen and chosen.file else run, scores)


def _runs(scores: Iterable[Score]) -> list[str]:
    return sorted({str(Run(score.model, score.prompt)) for score in scores})
