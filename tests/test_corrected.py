"""Estimates of judged metrics, corrected by labels."""

import pytest

from llmops import report
from llmops.corrected import corrected_estimates
from llmops.records import Estimate, Example, Label, Score
from llmops.report import rows
from llmops.reports.markdown import markdown
from llmops.reports.page import page
from llmops.reports.told import Told
from llmops.suites import Suite
from llmops.summary import setting

SUITE = Suite(dataset="d", task="t", prompts=["p"], models=["m"], metrics=["x"], judges=["fits"])
EXAMPLES = [Example(f"e{i}", {}) for i in range(200)]


def _scores(metric: str = "fits") -> list[Score]:
    return [
        Score("s", e.id, "m", "p", metric, value=float(i % 10 > 0), read="yes" if i % 10 else "no")
        for i, e in enumerate(EXAMPLES)
    ]


def _labels(count: int) -> list[Label]:
    # The judge lets every fifth answer pass that people reject.
    return [
        Label("s", e.id, "ann", "no" if i % 5 == 0 else "yes", model="m", prompt="p", repeat=0)
        for i, e in enumerate(EXAMPLES[:count])
    ]


def test_the_corrected_mean_is_what_people_say_where_the_judge_is_lenient() -> None:
    about = setting("s", SUITE, 0.95, EXAMPLES)
    found = {e.metric: e for e in corrected_estimates(SUITE, _scores(), _labels(100), about)}
    both = found["fits (corrected)"], found["fits (labels only)"]
    assert [(round(e.value or 0, 9), e.labels) for e in both] == [(0.8, 100), (0.8, 100)]
    assert 0.7 < (both[0].low or 0) < 0.8 < (both[0].high or 0) < 0.9
    assert (both[0].n, both[1].n, both[0].method) == (200, 100, "ppi++")


def test_too_few_labels_leave_the_corrected_mean_unknown_with_a_reason() -> None:
    about = setting("s", SUITE, 0.95, EXAMPLES)
    first, second = corrected_estimates(SUITE, _scores(), _labels(5), about)
    assert (first.value, second.value) == (None, 0.8)
    assert "5 labelled examples" in (first.reason or "")


def test_a_metric_that_no_judge_gave_is_not_corrected() -> None:
    about = setting("s", SUITE, 0.95, EXAMPLES)
    assert not list(corrected_estimates(SUITE, _scores("x"), _labels(100), about))


@pytest.mark.parametrize(
    ("more", "said"),
    [(95, "95 more would halve the interval"), (None, "labels of all answers would not halve")],
)
def test_every_report_says_what_more_labels_would_bring(more: int | None, said: str) -> None:
    ends = {"value": 0.8, "low": 0.7, "high": 0.9, "n": 100, "policy": "excluded"}
    found = [Estimate("s", "m", "p", "fits (corrected)", labels=50, more_labels=more, **ends)]
    told = Told("s", None, [], found, [])
    for text in (markdown(told), page(told), report.markdown(rows(found, []), [], "s")):
        assert said in text
