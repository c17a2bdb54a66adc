"""results/<suite>/{examples,responses,scores}.jsonl -> estimates.jsonl, classes.csv, metrics.json, plots/."""

import csv
import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from llmops import jsonl
from llmops.config import PARAMS, section
from llmops.errors import UserError
from llmops.places import Places
from llmops.records import OVERALL, Estimate, Example, Record, Response, Score
from llmops.stats.classification import UNREAD, Classification, ClassReport, classification
from llmops.suites import Suite, load_suite
from llmops.summary import (
    Column,
    Run,
    Setting,
    columns,
    costs,
    interval_estimate,
    metric_estimates,
    run_estimates,
    setting,
    total,
)

CLASSIFIED = "label_accuracy"
"""The metric whose reads are labels, so that a confusion and per-class numbers can be told."""


class Params(Record):
    """How sure an interval is, and how it is resampled where no formula serves."""

    confidence: float = 0.95
    resamples: int = 2000
    seed: int = 0


def main(places: Places, name: str) -> None:
    """Turn the suite's scores into estimates, each beside its interval and its baseline."""
    suite = load_suite(places.root, name)
    settings = section(places.root, "compare", Params)
    responses = _by_run(jsonl.read(places.suite(name, "responses.jsonl"), Response))
    asked = {response.example_id for group in responses.values() for response in group}
    examples = [e for e in jsonl.read(places.suite(name, "examples.jsonl"), Example) if e.id in asked]
    scores = list(jsonl.read(places.suite(name, "scores.jsonl"), Score))
    about = setting(name, suite, settings.confidence, examples)
    classes = _classifications(scores, suite, settings)
    found = list(_estimates(places.root, suite, responses, scores, about))
    found += [interval_estimate(about, run, "macro_f1", report.macro_f1) for run, report in classes.items()]
    paid = {run: total(list(costs(group).values())) for run, group in responses.items()}
    found = [e if e.slice != OVERALL else replace(e, cost_usd=paid[Run(e.model, e.prompt)]) for e in found]
    _write(places, name, sorted(found, key=_order(suite)), classes)


def _by_run(responses: Iterable[Response]) -> dict[Run, list[Response]]:
    grouped: dict[Run, list[Response]] = defaultdict(list)
    for response in responses:
        grouped[Run(response.model, response.prompt)].append(response)
    return grouped


def _estimates(
    root: Path, suite: Suite, responses: Mapping[Run, list[Response]], scores: list[Score], about: Setting
) -> Iterator[Estimate]:
    paid = {run: costs(group) for run, group in responses.items()}
    measured = columns(scores, suite.unread, paid, about.chances)
    baselines = _baselines(root, suite, measured, about)
    unread: dict[Run, int] = defaultdict(int)
    for score in scores:
        if score.metric == suite.metrics[0] and score.missing == "unread":
            unread[Run(score.model, score.prompt)] += 1
    for (run, metric), column in measured.items():
        baseline = baselines.get(metric)
        reference = baseline if baseline and baseline[0] != str(run) else None
        yield from metric_estimates(run, metric, column, reference, about)
    for run, group in responses.items():
        yield from run_estimates(run, group, unread[run], about)


def _baselines(
    root: Path, suite: Suite, measured: Mapping[tuple[Run, str], Column], about: Setting
) -> dict[str, tuple[str, Column]]:
    """Return, by metric, the baseline's name and column: a run of this suite, or an accepted file."""
    chosen = suite.baseline
    if chosen is None:
        return {}
    name = chosen.file
    if chosen.file is not None:
        measured = columns(jsonl.read(root / chosen.file, Score), suite.unread, {}, about.chances)
    runs = [run for run in {run for run, _ in measured} if _is_baseline(run, chosen.model, chosen.prompt)]
    if chosen.file is not None and len(runs) != 1:
        known = sorted(str(run) for run in runs)
        raise UserError(
            f"{PARAMS}: baseline: {chosen.file} holds the runs {known}; name one by model and prompt"
        )
    return {metric: (name or str(run), column) for (run, metric), column in measured.items() if run in runs}


def _is_baseline(run: Run, model: str | None, prompt: str | None) -> bool:
    return model in (None, run.model) and prompt in (None, run.prompt)


def _classifications(scores: Iterable[Score], suite: Suite, settings: Params) -> dict[Run, Classification]:
    """Return the confusion and per-class numbers of each run; none when the suite does not classify."""
    labels: dict[Run, list[tuple[str, str | None]]] = defaultdict(list)
    for score in scores:
        counted = score.missing is None or (score.missing == "unread" and suite.unread != "excluded")
        if score.metric == CLASSIFIED and score.target is not None and counted:
            labels[Run(score.model, score.prompt)].append((score.target, score.read))
    return {
        run: classification(
            [target for target, _ in pairs],
            [read for _, read in pairs],
            settings.seed,
            settings.resamples,
            settings.confidence,
        )
        for run, pairs in labels.items()
    }


def _order(suite: Suite) -> Callable[[Estimate], tuple[Any, ...]]:
    """Estimates stand by metric, then by model and prompt as params.yaml names them, then by slice."""
    metrics = [*suite.metrics, "macro_f1"]

    def key(estimate: Estimate) -> tuple[Any, ...]:
        place = metrics.index(estimate.metric) if estimate.metric in metrics else len(metrics)
        model, prompt = suite.models.index(estimate.model), suite.prompts.index(estimate.prompt)
        return estimate.slice != OVERALL, place, model, prompt

    return key


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
