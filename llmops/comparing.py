"""A suite's rows to all of its estimates, each with its interval, its difference and its signature."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

from msgspec.structs import replace

from llmops.baseline import Reference
from llmops.calibrated import CALIBRATION, calibration_estimates
from llmops.config import section
from llmops.corrected import RESTING_ON_LABELS, corrected_estimates
from llmops.discoveries import with_q
from llmops.family import with_limits
from llmops.judges.judged import DISAGREEMENT
from llmops.metrics.catalog import load_metric
from llmops.metrics.metric import Metric
from llmops.record import Record
from llmops.records import OVERALL, Estimate, Example, Label, Response, Score
from llmops.repeated import of_repeats, repeated_estimates
from llmops.signature import signature
from llmops.stats.bootstrap import Resampling
from llmops.stats.classification import Classification, classification
from llmops.stats.interval import Interval
from llmops.suites import Suite, load_suite
from llmops.summary import (
    Column,
    Run,
    Setting,
    columns,
    costs,
    decided,
    interval_estimate,
    metric_estimates,
    run_estimates,
    setting,
    unasked,
)
from llmops.totals import total

CLASSIFIED = "label_accuracy"
"""The metric whose reads are labels, so that a confusion and per-class numbers can be told."""
MACRO_F1 = "macro_f1"
"""The estimate of all classes together, made from the reads of `CLASSIFIED`."""


class Settings(Record):
    """How sure an interval is, and how it is resampled where no formula serves."""

    confidence: float = 0.95
    resamples: int = 2000
    seed: int = 0
    correction: Literal["holm", "none"] = "holm"
    """How the rules of a suite share the error between them."""


class Plan(NamedTuple):
    """What a suite's estimates are made by."""

    name: str
    suite: Suite
    metrics: list[Metric]
    settings: Settings


class Rows(NamedTuple):
    """What a suite's estimates are made from."""

    examples: list[Example]
    responses: list[Response]
    scores: list[Score]
    labels: Sequence[Label] = ()
    """What people said of the answers."""


class Comparison(NamedTuple):
    """A suite's estimates, and how each run errs where its answers are labels."""

    estimates: list[Estimate]
    classes: dict[Run, Classification]


def load_plan(root: Path, name: str) -> Plan:
    """Return what params.yaml says of a suite's estimates.

    Raises:
        UserError: no such suite, a metric that there is not, or a wrong setting.
    """
    suite = load_suite(root, name)
    metrics = [load_metric(metric, root) for metric in suite.metrics]
    return Plan(name, suite, metrics, section(root, "compare", Settings))


class _Given(NamedTuple):
    """Rows, grouped once for intervals at any confidence."""

    responses: Mapping[Run, list[Response]]
    scores: list[Score]
    measured: Mapping[tuple[Run, str], Column]
    reference: Mapping[str, tuple[str, Column]]
    unread: Mapping[Run, int]
    labels: Sequence[Label] = ()
    theirs: Sequence[Score] = ()
    """The baseline's."""


def compared(plan: Plan, rows: Rows, baseline: Reference | None) -> Comparison:
    """Return the estimates of every run among the rows; the same rows give the same bits."""
    responses = _by_run(rows.responses)
    asked = {response.example_id for response in rows.responses}
    examples = [example for example in rows.examples if example.id in asked]
    about = setting(plan.name, plan.suite, plan.settings.confidence, examples)._replace(
        corpora={metric.name: metric.corpus for metric in plan.metrics if metric.corpus},
        resampling=_drawing(plan),
        drawn={r.example_id: r.drawn for r in rows.responses if r.drawn is not None},
        read=frozenset(metric.name for metric in plan.metrics),
        bounded=frozenset(metric.name for metric in plan.metrics if metric.bounded and not metric.corpus),
    )
    given = _given(plan, responses, rows.scores, baseline, about)._replace(
        labels=rows.labels, theirs=baseline.scores if baseline else ()
    )
    classes = _classes(plan, given, about)
    found = _found(plan, given, about, classes)
    again = partial(_again, plan, given, about)
    found = with_limits(plan.suite, found, again, plan.settings.correction == "holm")
    paid = {run: total(costs(group).values()) for run, group in responses.items()}
    found = [e if e.slice != OVERALL else replace(e, cost_usd=paid[Run(e.model, e.prompt)]) for e in found]
    reached = {run: {r.example_id for r in group if not unasked(r)} for run, group in responses.items()}
    spared = {run: {r.example_id for r in group if decided(r)} for run, group in responses.items()}
    found = [_beside_unasked(e, reached[Run(e.model, e.prompt)], about) for e in found]
    found = with_q([_beside_decided(e, spared[Run(e.model, e.prompt)], about) for e in found])
    return Comparison([_signed(e, plan) for e in sorted(found, key=_order(plan.suite))], classes)


def _found(
    plan: Plan, given: _Given, about: Setting, classes: Mapping[Run, Classification]
) -> list[Estimate]:
    """Return the estimates with their intervals; what they share with their run is not told yet."""
    found = list(_estimates(given, about))
    found += [_macro_f1(run, report, found, about) for run, report in classes.items()]
    found += _calibrations(plan, given.responses, given.scores, about)
    found += repeated_estimates(plan.suite, given.scores, about)
    return [*found, *corrected_estimates(plan.suite, given.scores, given.labels, about, given.theirs)]


def _again(plan: Plan, given: _Given, about: Setting, confidence: float) -> list[Estimate]:
    """Return what the suite's rules speak of, with intervals at another confidence."""
    metrics = {rule.metric for rule in plan.suite.rules}
    slices = {OVERALL, *(rule.slice for rule in plan.suite.rules)}
    about = about._replace(
        confidence=confidence, slices={name: ids for name, ids in about.slices.items() if name in slices}
    )
    with_classes = {CLASSIFIED} if MACRO_F1 in metrics else set()
    kept = {key: column for key, column in given.measured.items() if key[1] in metrics | with_classes}
    needed = metrics & {*CALIBRATION, MACRO_F1} or any(
        name.endswith(RESTING_ON_LABELS) or of_repeats(name) for name in metrics
    )
    given = given._replace(measured=kept, scores=given.scores if needed else [])
    return _found(plan, given, about, _classes(plan, given, about) if with_classes else {})


def _classes(plan: Plan, given: _Given, about: Setting) -> dict[Run, Classification]:
    """Return how each run errs; without intervals where its answers do not stand each for itself."""
    classes = _classifications(given.scores, plan, about.confidence)
    if not about.clusters and plan.suite.repeats == 1:
        return classes
    reason = "examples repeat or share a source, which this interval cannot take into account"
    return {run: _without_intervals(report, reason) for run, report in classes.items()}


def _beside_unasked(estimate: Estimate, asked: Set[str], about: Setting) -> Estimate:
    """Return the estimate with how many examples of its slice there are, and were not asked."""
    ids = about.slices[estimate.slice]
    return replace(estimate, examples=len(ids), unasked=sum(i not in asked for i in ids))


def _beside_decided(estimate: Estimate, spared: Set[str], about: Setting) -> Estimate:
    """Return the estimate with how many examples of its slice a sequential test had decided without."""
    return replace(estimate, decided=sum(i in spared for i in about.slices[estimate.slice]))


def _macro_f1(run: Run, report: Classification, found: list[Estimate], about: Setting) -> Estimate:
    """Return the run's macro F1, which misses what its label accuracy misses."""
    made = interval_estimate(about, run, MACRO_F1, report.macro_f1)
    like = next(e for e in found if (e.model, e.prompt, e.metric, e.slice) == (*run, CLASSIFIED, OVERALL))
    return replace(made, missing=like.missing, counted_wrong=like.counted_wrong, n=like.n)


def _calibrations(
    plan: Plan, responses: Mapping[Run, list[Response]], scores: list[Score], about: Setting
) -> Iterator[Estimate]:
    """Yield how well each run's confidences tell what the suite's first metric says."""
    first = plan.metrics[0]
    if not first.higher_is_better:
        return
    by_run: dict[Run, list[Score]] = defaultdict(list)
    for score in scores:
        if score.metric == first.name:
            by_run[Run(score.model, score.prompt)].append(score)
    for run, group in responses.items():
        answered = [response for response in group if not unasked(response)]
        yield from calibration_estimates(run, answered, by_run[run], about, _drawing(plan))


def _signed(estimate: Estimate, plan: Plan) -> Estimate:
    based = CLASSIFIED if estimate.metric == MACRO_F1 else estimate.metric
    based = plan.suite.metrics[0] if estimate.metric in CALIBRATION else based
    metric = next((metric for metric in plan.metrics if metric.name == based), None)
    judged = estimate.metric.partition(" ")[0].partition(".")[0] in plan.suite.judges
    reads = "judge" if judged else plan.suite.task
    signed = replace(estimate, signature=signature(estimate, reads, metric, _drawing(plan)))
    if judged and estimate.metric.endswith(DISAGREEMENT):
        return replace(signed, higher_is_better=False)
    if metric is None or estimate.metric in CALIBRATION:
        return signed
    return replace(signed, higher_is_better=metric.higher_is_better)


def _drawing(plan: Plan) -> Resampling:
    return Resampling(plan.settings.resamples, plan.settings.seed)


def _by_run(responses: Iterable[Response]) -> dict[Run, list[Response]]:
    grouped: dict[Run, list[Response]] = defaultdict(list)
    for response in responses:
        grouped[Run(response.model, response.prompt)].append(response)
    return grouped


def _given(
    plan: Plan,
    responses: Mapping[Run, list[Response]],
    scores: list[Score],
    baseline: Reference | None,
    about: Setting,
) -> _Given:
    worst = {metric.name: metric.worst for metric in plan.metrics}
    paid = {run: costs(group) for run, group in responses.items()}
    measured = columns(scores, about.policy, paid, worst, about.chances)
    unread: dict[Run, int] = defaultdict(int)
    for score in scores:
        if score.metric == plan.suite.metrics[0] and score.missing == "unread":
            unread[Run(score.model, score.prompt)] += 1
    return _Given(responses, scores, measured, _by_metric(baseline, about, worst), unread)


def _estimates(given: _Given, about: Setting) -> Iterator[Estimate]:
    for (run, metric), column in given.measured.items():
        theirs = given.reference.get(metric)
        others = theirs if theirs and theirs[0] != str(run) else None
        yield from metric_estimates(run, metric, column, others, about)
    for run, group in given.responses.items():
        yield from run_estimates(run, group, given.unread[run], about)


def _by_metric(
    baseline: Reference | None, about: Setting, worst: Mapping[str, float]
) -> dict[str, tuple[str, Column]]:
    """Return, by metric, the baseline's name and its column."""
    if baseline is None:
        return {}
    held = columns(baseline.scores, about.policy, {}, worst, about.chances)
    return {metric: (baseline.name, column) for (_, metric), column in held.items()}


def _classifications(scores: Iterable[Score], plan: Plan, confidence: float) -> dict[Run, Classification]:
    """Return the confusion and per-class numbers of each run; none when the suite does not classify."""
    labels: dict[Run, list[tuple[str, str | None]]] = defaultdict(list)
    for score in scores:
        counted = score.missing is None or (score.missing == "unread" and plan.suite.unread != "excluded")
        if score.metric == CLASSIFIED and score.target is not None and counted:
            labels[Run(score.model, score.prompt)].append((score.target, score.read))
    return {
        run: classification(
            [target for target, _ in pairs],
            [read for _, read in pairs],
            plan.settings.seed,
            plan.settings.resamples,
            confidence,
        )
        for run, pairs in labels.items()
    }


def _without_intervals(report: Classification, reason: str) -> Classification:
    """Return the report without intervals: its answers do not stand each for itself."""

    def bare(interval: Interval) -> Interval:
        return Interval(interval.value, interval.n, reason=reason)

    rows = [
        row._replace(precision=bare(row.precision), recall=bare(row.recall), f1=bare(row.f1))
        for row in report.classes
    ]
    return report._replace(classes=rows, macro_f1=bare(report.macro_f1))


def _order(suite: Suite) -> Callable[[Estimate], tuple[Any, ...]]:
    """Estimates stand by metric, then by model and prompt as params.yaml names them, then by slice."""
    metrics = [*suite.metrics, MACRO_F1, *CALIBRATION]

    def key(estimate: Estimate) -> tuple[Any, ...]:
        place = _place(metrics, estimate.metric)
        model, prompt = _place(suite.models, estimate.model), _place(suite.prompts, estimate.prompt)
        return estimate.slice != OVERALL, place, model, prompt

    return key


def _place(names: list[str], name: str) -> int:
    """Return where a name stands; behind all others when it is not among them."""
    return names.index(name) if name in names else len(names)
