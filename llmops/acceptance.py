"""Accepted baselines: one run's scores as a file, beside it who accepted them, when and why."""

import hashlib
import subprocess
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from llmops import jsonl
from llmops.errors import UserError
from llmops.places import Places
from llmops.record import Record
from llmops.records import Example, Score

FOLDER = "baselines"


class Acceptance(Record):
    """Who took a run's scores for the baseline."""

    suite: str
    model: str
    prompt: str
    by: str
    """git's ``user.name``."""
    at: str
    """ISO 8601, UTC."""
    why: str
    examples_sha256: str
    """Of all examples: the version of the data set."""
    scores_sha256: str
    examples: dict[str, str]
    """Example id → sha256 of the example."""


def accept(places: Places, suite: str, model: str, prompt: str, why: str) -> Path:
    """Write a run's scores to ``baselines/<suite>.jsonl`` and its acceptance beside them; return the file.

    Raises:
        UserError: no reason is given, no such run was scored, or git knows no name.
    """
    if not why.strip():
        raise UserError("baseline: --why: is empty; say in a sentence why these scores are accepted")
    held = list(jsonl.read(places.suite(suite, "scores.jsonl"), Score))
    scores = [score for score in held if (score.model, score.prompt) == (model, prompt)]
    if not scores:
        known = sorted({f"--model {score.model} --prompt {score.prompt}" for score in held})
        raise UserError(f"baseline: {suite}: has no scores of {model} · {prompt}; runs are {known}")
    examples = list(jsonl.read(places.suite(suite, "examples.jsonl"), Example))
    path = places.root / FOLDER / f"{suite}.jsonl"
    now = datetime.now(UTC).isoformat(timespec="seconds")
    told = Acceptance(
        suite, model, prompt, _name(places.root), now, why.strip(),
        jsonl.sha256(examples), jsonl.sha256(scores), hashes(examples),
    )  # fmt: skip
    jsonl.write(path, scores)
    jsonl.write_json(_sidecar(path), told)
    return path


def acceptance(path: Path) -> Acceptance | None:
    """Return what stands beside a file of accepted scores; None beside one that was copied by hand.

    Raises:
        UserError: it cannot be read, or the scores are not those that were accepted.
    """
    beside = _sidecar(path)
    if not beside.is_file():
        return None
    try:
        told = msgspec.json.decode(beside.read_bytes(), type=Acceptance)
    except msgspec.DecodeError as problem:
        raise UserError(f"{beside}: {problem}; accept the baseline again") from None
    if hashlib.sha256(path.read_bytes()).hexdigest() != told.scores_sha256:
        raise UserError(f"{path}: is not what was accepted at {told.at}; accept the baseline again")
    return told


def hashes(examples: Iterable[Example]) -> dict[str, str]:
    """Return example id → sha256 of the example."""
    return {example.id: jsonl.sha256([example]) for example in examples}


def unchanged(before: Mapping[str, str], now: Mapping[str, str]) -> frozenset[str]:
    """Return the ids of the examples that are the same in two versions of a data set."""
    return frozenset(i for i, digest in now.items() if before.get(i) == digest)


def _sidecar(path: Path) -> Path:
    return path.with_suffix(".accepted.json")


def _name(root: Path) -> str:
    words = ["git", "-C", str(root), "config", "user.name"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=30, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        raise UserError("baseline: git knows no name of yours; run `git config user.name NAME`") from None
    return done.stdout.strip()
