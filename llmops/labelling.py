"""Labels files: what people said of answers, read with every contradiction refused."""

import csv
import io
import math
from collections.abc import Iterable, Set
from pathlib import Path
from typing import Any

from llmops import jsonl
from llmops.config import convert
from llmops.errors import UserError
from llmops.places import newest
from llmops.records import Example, Label, Response
from llmops.table import rows

LABELS = "data/labels"

LABELLED = "labels.jsonl"
"""The labels that a run's corrected scores were made with, beside them: the suite's own go on to grow."""

COLUMNS = tuple(Label.__struct_fields__)
SHOWN = ("inputs", "answer")
"""Columns of an exported file that are there to be read by the person who labels."""


def labels_file(root: Path, suite: str) -> Path:
    """Return where a suite's labels lie."""
    return root / LABELS / f"{suite}.jsonl"


def read_labels(path: Path, suite: str, examples: Set[str]) -> list[Label]:
    """Return the labels of a suite, equal repetitions once.

    Raises:
        UserError: a line is no Label; a label of another suite or of an unknown example; two versions
            of the rubric; numbers beside words; one annotator who says two things of one answer.
    """
    found = list(jsonl.read(path, Label))
    if not found:
        raise UserError(f"{path}: holds no labels; a judge is certified by at least two")
    for label in found:
        if label.suite != suite:
            raise UserError(f"{path}: a label is of suite {label.suite!r}; those of {suite!r} belong here")
    _check_examples(path, found, examples)
    return _alike(path, found)


def _check_examples(path: Path, labels: Iterable[Label], examples: Set[str]) -> None:
    for label in labels:
        if label.example_id not in examples:
            raise UserError(f"{path}: suite {label.suite!r} has no example {label.example_id!r}; mend its id")


def _alike(path: Path, labels: list[Label]) -> list[Label]:
    """Return the labels, equal repetitions once; raise what ``read_labels`` does where they do not fit."""
    kinds = {"float": "numbers", "str": "words"}
    for what, values in (
        ("version of the rubric", {label.rubric for label in labels}),
        ("way to draw them", {"no chance" if label.chance is None else "a chance" for label in labels}),
        ("kind of label", {kinds[type(label.label).__name__] for label in labels}),
    ):
        if len(values) > 1:
            raise UserError(f"{path}: more than one {what}: {sorted(values)}; keep each in a file of its own")
    for label in labels:
        number = _as_number(label.label)
        if number is not None and not math.isfinite(number):
            raise UserError(
                f"{path}: a label is {label.label!r}; write a class or a finite number, or nothing"
            )
    return list(_once(path, labels))


def _once(path: Path, labels: Iterable[Label]) -> Iterable[Label]:
    said: dict[tuple[Any, ...], str | float] = {}
    for label in labels:
        key = (label.annotator, label.example_id, label.model, label.prompt, label.repeat, label.criterion)
        if key not in said:
            said[key] = label.label
            yield label
        elif said[key] != label.label:
            raise UserError(
                f"{path}: {label.annotator!r} says both {said[key]!r} and {label.label!r} "
                f"of example {label.example_id!r}; keep one"
            )


def labels_of_csv(path: Path) -> list[Label]:
    """Return the labels of a CSV file whose columns are a Label's fields; rows without a label are left out.

    Labels that are numbers, all of them, are read as numbers.

    Raises:
        UserError: a column that a Label needs is missing, or a cell is of the wrong type.
    """
    found = [(place, row) for place, row in rows(path) if str(row.get("label") or "").strip()]
    numeric = all(_as_number(row["label"]) is not None for _, row in found)
    return [_label(f"{path}:{place}", row, numeric) for place, row in found]


def _label(where: str, row: Any, numeric: bool) -> Label:
    cells: dict[str, Any] = {
        name: value for name, value in row.items() if name in COLUMNS and value not in (None, "")
    }
    if numeric:
        cells["label"] = float(cells["label"])
    if str(cells.get("repeat", "")).isdigit():
        cells["repeat"] = int(cells["repeat"])
    label: Label = convert(cells, Label, where)
    return label


def _as_number(label: str | float) -> float | None:
    try:
        return float(label)
    except ValueError:
        return None


def csv_to_label(responses: Iterable[Response], inputs: dict[str, dict[str, Any]]) -> str:
    """Return a CSV file in which people write ``annotator`` and ``label`` beside each answer."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, [*COLUMNS, *SHOWN], restval="", lineterminator="\n")
    writer.writeheader()
    for each in responses:
        if each.answer is None:
            continue
        writer.writerow({
            "suite": each.suite, "example_id": each.example_id, "model": each.model, "prompt": each.prompt,
            "repeat": each.repeat, "inputs": jsonl.line(inputs.get(each.example_id, {})).decode().strip(),
            "answer": each.answer,
        })  # fmt: skip
    return out.getvalue()


def bring(root: Path, file: Path) -> str:
    """Write a CSV file's labels beside those that the suite has, and return what was done in a line.

    Raises:
        UserError: the file has no labels, those of two suites, or what ``read_labels`` refuses, of which
            an unknown example only where the suite has results.
    """
    found = labels_of_csv(file)
    suites = sorted({each.suite for each in found})
    if len(suites) != 1:
        raise UserError(f"{file}: labels of the suites {suites}; a file must hold those of one")
    if places := newest(root, suites[0]).get(suites[0]):
        examples = jsonl.read(places.suite(suites[0], "examples.jsonl"), Example)
        _check_examples(file, found, {example.id for example in examples})
    goal = labels_file(root, suites[0])
    known = jsonl.read_any(goal, Label)
    together = [*known, *(each for each in found if each not in known)]
    kept = _alike(file, together)
    jsonl.write(goal, kept)
    return f"{goal.relative_to(root)}: {len(kept):,} labels, {len(kept) - len(known):,} of them new"


def send(root: Path, suite: str, file: Path) -> str:
    """Write a suite's newest answers to a CSV file and return what was done in a line.

    Raises:
        UserError: the suite has no results.
    """
    places = newest(root, suite).get(suite)
    if places is None:
        raise UserError(f"{suite}: has no results; run `llmops run {suite}` first")
    examples = jsonl.read(places.suite(suite, "examples.jsonl"), Example)
    inputs = {example.id: example.inputs for example in examples}
    text = csv_to_label(jsonl.read(places.suite(suite, "responses.jsonl"), Response), inputs)
    jsonl.write_text(file, text)
    return f"{file}: write `annotator` and `label` on each row, then `llmops label import {file}`"
