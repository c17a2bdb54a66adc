"""results/<suite>/{examples,responses,scores}.jsonl -> {estimates,labels}.jsonl, validation/, plots/ ..."""

import csv
import io
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from llmops import jsonl
from llmops.baseline import reference
from llmops.cards.card import load_card
from llmops.cards.examples import labels
from llmops.cards.expectations import check
from llmops.cards.frame import response_frame
from llmops.cards.held import hold
from llmops.comparing import CLASSIFIED, Plan, Rows, compared, load_plan
from llmops.draws import with_chances
from llmops.labelling import LABELLED, labels_file, read_labels
from llmops.places import Places
from llmops.records import OVERALL, Estimate, Example, Response
from llmops.scores import measured
from llmops.stats.classification import UNREAD, Classification, ClassReport
from llmops.summary import Run, unasked

EXPECTATIONS = "data/expectations/responses.yaml"


def main(places: Places, name: str) -> None:
    """Turn the suite's scores into estimates, once the responses hold their expectations.

    Raises:
        UserError: responses that do not hold what is critical (names the first of them).
    """
    plan = load_plan(places.root, name)
    rows = held_rows(places, plan)
    baseline = reference(places.root, plan.suite, rows.scores, rows.examples)
    if baseline and baseline.note:
        print(f"{name}: baseline: {baseline.note}", file=sys.stderr)
    found = compared(plan, rows, baseline)
    jsonl.write(places.suite(name, LABELLED), rows.labels)
    _write(places, name, found.estimates, found.classes)


def held_rows(places: Places, plan: Plan) -> Rows:
    """Return what the suite's estimates are made from, which holds its expectations."""
    labelled = labels_file(places.root, plan.name)
    rows = Rows(
        list(jsonl.read(places.suite(plan.name, "examples.jsonl"), Example)),
        list(jsonl.read(places.suite(plan.name, "responses.jsonl"), Response)),
        measured(places.suite(plan.name)),
    )
    if plan.suite.judges and labelled.is_file():
        known_ids = {example.id for example in rows.examples}
        read = read_labels(labelled, plan.name, known_ids)
        rows = rows._replace(labels=with_chances(places.root, plan.name, read))
    known = labels(load_card(places.root, plan.suite.dataset), rows.examples)
    asked = [response for response in rows.responses if not unasked(response)]
    frame = response_frame(str(places.suite(plan.name, "responses.jsonl")), asked)
    report = check(frame, places.root / EXPECTATIONS, {"labels": known})
    hold(report, places.suite(plan.name, "validation", "responses.json"), f"compare {plan.name}")
    return rows


def _write(
    places: Places, name: str, found: Sequence[Estimate], classes: Mapping[Run, Classification]
) -> None:
    jsonl.write(places.suite(name, "estimates.jsonl"), found)
    jsonl.write_json(places.suite(name, "metrics.json"), _nested(found))
    overall = [e for e in found if e.slice == OVERALL and e.policy is not None]
    _csv(
        places.suite(name, "plots", "quality.csv"),
        ("run", "metric", "value", "low", "high", "n"),
        ((f"{e.model} · {e.prompt}", e.metric, e.value, e.low, e.high, e.n) for e in overall),
    )
    _csv(
        places.suite(name, "classes.csv"),
        ("suite", "model", "prompt", *CLASS_COLUMNS),
        ((name, *run, *_class_cells(row)) for run, report in classes.items() for row in report.classes),
    )
    _csv(places.suite(name, "plots", "confusion.csv"), ("target", "read"), _best_confusion(overall, classes))


def _nested(found: Iterable[Estimate]) -> dict[str, Any]:
    """Return model → prompt → metric → value, the shape in which `dvc metrics diff` reads best."""
    nested: dict[str, Any] = {}
    for e in found:
        if e.slice == OVERALL:
            nested.setdefault(e.model, {}).setdefault(e.prompt, {})[e.metric] = e.value
    return nested


CLASS_COLUMNS = (
    "label", "support", "predicted",
    "precision", "precision_low", "precision_high",
    "recall", "recall_low", "recall_high",
    "f1", "f1_low", "f1_high",
)  # fmt: skip


def _class_cells(row: ClassReport) -> tuple[Any, ...]:
    ends = [end for i in (row.precision, row.recall, row.f1) for end in (i.value, i.low, i.high)]
    return (row.label, row.support, row.predicted, *ends)


def _best_confusion(
    overall: Sequence[Estimate], classes: Mapping[Run, Classification]
) -> Iterator[tuple[str, str]]:
    """Yield (target, read) for each example of the run that is right most often."""
    right = {Run(e.model, e.prompt): e.value or 0.0 for e in overall if e.metric == CLASSIFIED}
    if best := max(classes, key=lambda run: right.get(run, 0.0), default=None):
        for (target, read), count in sorted(classes[best].confusion.items(), key=str):
            yield from [(target, read or UNREAD)] * count


def _csv(path: Path, head: Sequence[str], lines: Iterable[Sequence[Any]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(lines)
    jsonl.write_text(path, text.getvalue())
