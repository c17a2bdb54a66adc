"""Metrics of repeated answers: pass@k and pass^k beside the mean, where values are 0 or 1."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from llmops.records import Estimate, Score
from llmops.stats.estimate import mean
from llmops.stats.interval import within
from llmops.stats.passes import pass_at, pass_hat
from llmops.suites import Suite
from llmops.summary import Run, Setting

KINDS: dict[str, Callable[[int, int, int], float | None]] = {"pass@": pass_at, "pass^": pass_hat}
"""What the estimates' names hold before k, behind the metric's."""

Tally = dict[str, list[float]]
"""Example id → its answers' values."""


def repeated_estimates(suite: Suite, scores: Sequence[Score], about: Setting) -> Iterator[Estimate]:
    """Yield pass@k and pass^k of each run, 0/1 metric and slice, for k = 2, 4, 8, … and all repeats.

    An answer that could not be read failed, by the suite's ``unread: wrong``; otherwise it is left out, as
    one is whose call failed. An example with fewer than k answers is missing.
    """
    if suite.repeats < 2:
        return
    for (run, metric), tally in _tallies(scores, about.policy).items():
        if all(value in (0.0, 1.0) for values in tally.values() for value in values):
            for k in _ks(suite.repeats):
                for kind, function in KINDS.items():
                    values = {i: function(k, len(each), int(sum(each))) for i, each in tally.items()}
                    yield from _of_slices(run, f"{metric} {kind}{k}", values, about)


def of_repeats(metric: str) -> bool:
    """Return whether the metric is one of these."""
    return metric.rpartition(" ")[2].startswith(tuple(KINDS))


def _ks(repeats: int) -> list[int]:
    doubling = [2**power for power in range(1, repeats.bit_length())]
    return sorted({k for k in doubling if k <= repeats} | {repeats})


def _tallies(scores: Sequence[Score], policy: str) -> dict[tuple[Run, str], Tally]:
    tallies: dict[tuple[Run, str], Tally] = defaultdict(lambda: defaultdict(list))
    for score in scores:
        wrong = score.missing == "unread" and policy == "wrong"
        if (value := 0.0 if wrong else score.value) is not None and not score.statistics:
            tallies[Run(score.model, score.prompt), score.metric][score.example_id].append(value)
    return tallies


def _of_slices(
    run: Run, metric: str, values: Mapping[str, float | None], about: Setting
) -> Iterator[Estimate]:
    for name, members in about.slices.items():
        found = {i: value for i in members if (value := values.get(i)) is not None}
        clusters = [about.clusters[i] for i in found] if about.clusters else None
        at = within(mean(list(found.values()), clusters, about.confidence), 0.0, 1.0)
        yield Estimate(
            suite=about.suite, model=run.model, prompt=run.prompt, metric=metric, slice=name, value=at.value,
            se=at.se, low=at.low, high=at.high, confidence=about.confidence, method=at.method, n=at.n,
            missing=sum(i in values and values[i] is None for i in members), reason=at.reason,
            policy=about.policy_of(metric.rpartition(" ")[0]),
        )  # fmt: skip
