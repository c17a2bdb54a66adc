"""Scores and Responses to Estimates: every metric of every model × prompt, over every slice."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from llmops.errors import UserError
from llmops.records import DECIDED, OVERALL, UNASKED, Estimate, Example, Response, Score
from llmops.stats.betting import confidence_sequence
from llmops.stats.bootstrap import Resampling
from llmops.stats.compare import Difference, paired_difference
from llmops.stats.estimate import mean
from llmops.stats.interval import Interval
from llmops.stats.pooled import Corpus, Pooling, pooled, pooled_difference
from llmops.stats.quantile import quantile
from llmops.suites import Suite
from llmops.totals import total

NO_CHANCES: Mapping[str, float] = {}


class Run(NamedTuple):
    """One model asked through one prompt."""

    model: str
    prompt: str

    def __str__(self) -> str:
        return f"{self.model} · {self.prompt}"


class Column(NamedTuple):
    """One metric of one run: a value for each example that has one, and who has none."""

    values: dict[str, float]
    missing: frozenset[str]
    counted_wrong: frozenset[str]
    costs: Mapping[str, float | None] = {}
    """Example id → what its answers cost, in US dollars."""
    statistics: Mapping[str, list[float]] = {}
    """Example id → what it adds to a corpus's value; those in ``values``, where the metric is of a corpus."""


class Setting(NamedTuple):
    """What all estimates of a suite share."""

    suite: str
    policy: str
    confidence: float
    slices: dict[str, list[str]]
    """Slice name → ids of its examples; ``all`` is one of them."""
    clusters: dict[str, str] | None
    """Example id → source, where examples share one."""
    corpora: Mapping[str, Corpus] = {}
    """Metric → how a corpus's value is told, for metrics that are no mean of their examples' values."""
    resampling: Resampling = Resampling()
    chances: Mapping[str, float] = NO_CHANCES
    """Example id → what its unread answer counts as by ``chance``."""
    drawn: Mapping[str, int] = {}
    """Example id → its place in the order of a sequential run; empty where it was none."""
    bounded: frozenset[str] = frozenset()
    """Metrics whose values lie between 0 and 1, whose means of a sequential run hold at every stop."""
    read: frozenset[str] | None = None
    """Metrics of answers as the task reads them; of all others a missing verdict is left out. None: all."""

    def policy_of(self, metric: str) -> str:
        """Return what an answer counts as that gives the metric nothing to go by."""
        return self.policy if self.read is None or metric in self.read else "excluded"


def setting(name: str, suite: Suite, confidence: float, examples: Sequence[Example]) -> Setting:
    """Return what the suite's estimates share, its examples cut by the suite's slice keys."""
    slices: dict[str, list[str]] = {OVERALL: [example.id for example in examples]}
    for key in suite.slices:
        for value in sorted({example.slices[key] for example in examples if key in example.slices}):
            slices[f"{key}={value}"] = [e.id for e in examples if e.slices.get(key) == value]
    clustered = any(example.cluster is not None for example in examples)
    clusters = {example.id: example.cluster or example.id for example in examples} if clustered else None
    guesses = chances(suite.unread, examples)
    return Setting(name, suite.unread, confidence, slices, clusters, chances=guesses)


def costs(responses: Iterable[Response]) -> dict[str, float | None]:
    """Return example id → what its answers cost, None when the price of any is not known."""
    paid: dict[str, list[float | None]] = defaultdict(list)
    for response in responses:
        paid[response.example_id].append(response.cost_usd)
    return {example_id: total(values) for example_id, values in paid.items()}


def chances(policy: str, examples: Iterable[Example]) -> dict[str, float]:
    """Return example id → how often a guess among its choices is right; empty unless by ``chance``.

    The expected value of the guess that MMLU-Pro draws (Wang et al. 2024, arXiv 2406.01574), without
    the noise of drawing it.

    Raises:
        UserError: an example has no choices to guess among.
    """
    if policy != "chance":
        return {}
    asked = list(examples)
    if bare := next((example.id for example in asked if not example.choices), None):
        raise UserError(f"unread: chance: example {bare!r} has no choices; use 'wrong' or 'excluded'")
    return {example.id: 1 / len(example.choices) for example in asked}


def columns(
    scores: Iterable[Score],
    policy: str,
    paid: Mapping[Run, Mapping[str, float | None]],
    worst: Mapping[str, float] = NO_CHANCES,
    chances: Mapping[str, float] = NO_CHANCES,
) -> dict[tuple[Run, str], Column]:
    """Group scores into one column for each run and metric; an example's repeats are averaged.

    The repeats' statistics are added up: a corpus is all of its answers.

    Args:
        policy: what an unread answer counts as, ``wrong``, ``excluded`` or ``chance``.
        paid: what each run's answers cost, by example.
        worst: what it counts as by ``wrong``, by metric; 0 by those not named.
        chances: what it counts as by ``chance``, by example.
    """
    grouped: dict[tuple[Run, str], dict[str, list[Score]]] = defaultdict(lambda: defaultdict(list))
    for score in scores:
        grouped[Run(score.model, score.prompt), score.metric][score.example_id].append(score)
    return {
        (run, metric): _column(by_example, policy, worst.get(metric, 0.0), chances)._replace(
            costs=paid.get(run, {})
        )
        for (run, metric), by_example in grouped.items()
    }


def _column(
    by_example: Mapping[str, list[Score]], policy: str, worst: float, chances: Mapping[str, float]
) -> Column:
    """Return the column of the examples that were asked: the budget drew at random which were not."""
    values: dict[str, float] = {}
    statistics: dict[str, list[float]] = {}
    missing, wrong = set(), set()
    for example_id, every in by_example.items():
        if not (scores := [score for score in every if score.missing != "unasked"]):
            continue
        unread = [score for score in scores if score.missing == "unread"] if policy != "excluded" else []
        counts_as = chances[example_id] if unread and policy == "chance" else worst
        usable = [score.value for score in scores if score.value is not None] + [counts_as] * len(unread)
        if usable:
            values[example_id] = sum(usable) / len(usable)
        if rows := [s.statistics for s in scores if s.statistics and (s.value is not None or s in unread)]:
            statistics[example_id] = [sum(column) for column in zip(*rows, strict=True)]
        if any(score.value is None for score in scores):
            missing.add(example_id)
        if unread:
            wrong.add(example_id)
    return Column(values, frozenset(missing), frozenset(wrong), statistics=statistics)


def metric_estimates(
    run: Run,
    metric: str,
    column: Column,
    baseline: tuple[str, Column] | None,
    about: Setting,
) -> Iterator[Estimate]:
    """Yield the metric for every slice, with its paired difference to the baseline.

    It is the mean of the examples' values, or the corpus's value where ``about.corpora`` has one.

    Args:
        baseline: the baseline's name and its column of the same metric.
    """
    corpus = about.corpora.get(metric)
    how = Pooling(corpus, about.resampling, about.confidence) if corpus else None
    looked = about if metric in about.bounded else about._replace(drawn={})
    for name, ids in about.slices.items():
        known = _known(ids, column, how)
        estimate = _estimate(about, run, metric, name, _interval(column, known, looked, how))
        estimate = replace(
            estimate,
            missing=sum(i in column.missing for i in ids),
            counted_wrong=sum(i in column.counted_wrong for i in ids),
            policy=about.policy_of(metric),
            cost_usd=total(column.costs.get(i) for i in ids),
        )
        if baseline:
            both = _known(known, baseline[1], how)
            estimate = _with_difference(
                estimate, baseline[0], _difference(column, baseline[1], both, looked, how)
            )
        yield estimate


def _known(ids: Sequence[str], column: Column, how: Pooling | None) -> list[str]:
    known: Mapping[str, object] = column.statistics if how else column.values
    return [i for i in ids if i in known]


def _interval(column: Column, ids: list[str], about: Setting, how: Pooling | None) -> Interval:
    if how:
        return pooled([column.statistics[i] for i in ids], _clusters(ids, about), how)
    if about.drawn:
        ordered = sorted(ids, key=about.drawn.__getitem__)
        return confidence_sequence([column.values[i] for i in ordered], 0, 1, about.confidence)
    return mean([column.values[i] for i in ids], _clusters(ids, about), about.confidence)


def _difference(
    ours: Column, theirs: Column, both: list[str], about: Setting, how: Pooling | None
) -> Difference:
    clusters = _clusters(both, about)
    a, b = [ours.values[i] for i in both], [theirs.values[i] for i in both]
    if how is None and not about.drawn:
        return paired_difference(a, b, clusters, about.confidence)
    fixed, broke = (sum(x > y for x, y in zip(*sides, strict=True)) for sides in ((a, b), (b, a)))
    if how is None:
        ordered = sorted(both, key=about.drawn.__getitem__)
        apart = [ours.values[i] - theirs.values[i] for i in ordered]
        looked = confidence_sequence(apart, -1, 1, about.confidence)
        return Difference(fixed=fixed, broke=broke, **looked._asdict())
    rows, others = ([column.statistics[i] for i in both] for column in (ours, theirs))
    return Difference(fixed=fixed, broke=broke, **pooled_difference(rows, others, clusters, how)._asdict())


def beside_baseline(estimate: Estimate, baseline: str, found: Interval | Difference) -> Estimate:
    """Return the estimate with its difference to the baseline."""
    return replace(
        estimate,
        baseline=baseline,
        difference=found.value,
        difference_low=found.low,
        difference_high=found.high,
    )


def _with_difference(estimate: Estimate, baseline: str, found: Difference) -> Estimate:
    pairs = found.n if found.n < estimate.n else None
    beside = beside_baseline(estimate, baseline, found)
    return replace(beside, fixed=found.fixed, broke=found.broke, pairs=pairs)


def _clusters(ids: Sequence[str], about: Setting) -> list[str] | None:
    return None if about.clusters is None else [about.clusters[i] for i in ids]


def interval_estimate(about: Setting, run: Run, metric: str, interval: Interval) -> Estimate:
    """Return an estimate of a statistic of all examples together, such as macro F1."""
    return replace(_estimate(about, run, metric, OVERALL, interval), policy=about.policy)


def run_estimates(run: Run, responses: Sequence[Response], unread: int, about: Setting) -> Iterator[Estimate]:
    """Yield what a run's calls amount to: latency, cost, tokens, the share of failed and unread answers.

    What was not asked, since the budget was spent, is missing, but no failed call; what was not asked
    since the rules were decided is neither.

    Args:
        responses: all of the run's responses.
        unread: how many answers could not be read.
    """
    asked = [response for response in responses if not unasked(response)]
    latencies = [r.latency_s for r in asked if r.latency_s is not None]
    for name, q in (("latency_p50_s", 0.5), ("latency_p95_s", 0.95)):
        interval = quantile(latencies, q, about.confidence)
        yield replace(
            _estimate(about, run, name, OVERALL, interval),
            missing=len(asked) - len(latencies),
            higher_is_better=False,
        )
    for name, values in (
        ("cost_usd", [r.cost_usd for r in responses]),
        ("input_tokens", [r.input_tokens for r in responses]),
        ("output_tokens", [r.output_tokens for r in responses]),
    ):
        yield _complete(about, run, name, total(values), len(asked), sum(v is None for v in values))
    failed = sum(r.error is not None for r in asked)
    wanted = sum(not decided(response) for response in responses)
    left_out = wanted - len(asked)
    for name, count, of in (
        ("error_share", failed, len(asked)),
        ("missing_share", failed + unread + left_out, wanted),
    ):
        yield _complete(about, run, name, count / of if of else None, of, 0)


def unasked(response: Response) -> bool:
    """The example was not asked, or not to its end: the budget was spent, or the rules were decided."""
    return response.error is not None and response.error.kind in UNASKED


def decided(response: Response) -> bool:
    """The example was not asked because a sequential test had decided its run's rules without it."""
    return response.error is not None and response.error.kind == DECIDED


def _complete(about: Setting, run: Run, metric: str, count: float | None, n: int, unknown: int) -> Estimate:
    value = None if count is None else float(count)
    reason = f"unknown for {unknown} of {n} responses" if unknown else None
    interval = Interval(value, n, None, value, value, "complete", reason)
    return replace(_estimate(about, run, metric, OVERALL, interval), missing=unknown, higher_is_better=False)


def _estimate(about: Setting, run: Run, metric: str, name: str, interval: Interval) -> Estimate:
    return Estimate(
        suite=about.suite,
        model=run.model,
        prompt=run.prompt,
        metric=metric,
        slice=name,
        value=interval.value,
        se=interval.se,
        low=interval.low,
        high=interval.high,
        confidence=about.confidence,
        method=interval.method,
        n=interval.n,
        reason=interval.reason,
    )
