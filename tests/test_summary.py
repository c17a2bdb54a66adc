"""Scores to Estimates: what is missing is counted, and what it counts as is the suite's to say."""

import pytest

from llmops.errors import UserError
from llmops.records import Example, Response, Score
from llmops.suites import Suite
from llmops.summary import Run, columns, metric_estimates, run_estimates, setting
from llmops.totals import total

RUN = Run("m", "p")


def about(unread: str = "wrong"):  # type: ignore[no-untyped-def]
    suite = Suite(
        dataset="d", task="label", prompts=["p"], models=["m"], metrics=["a"], slices=["lang"], unread=unread
    )  # type: ignore[arg-type]
    examples = [Example(id=str(i), inputs={}, slices={"lang": "ko" if i < 2 else "en"}) for i in range(5)]
    return setting("s", suite, 0.95, examples)


def scores() -> list[Score]:
    def score(example: str, value: float | None, missing: str | None = None) -> Score:
        return Score("s", example, "m", "p", "a", value=value, missing=missing)  # type: ignore[arg-type]

    return [
        score("0", 1.0),
        score("1", 0.0),
        score("2", 1.0),
        score("3", None, "unread"),
        score("4", None, "error"),
    ]


@pytest.mark.parametrize(
    ("policy", "value", "n", "counted"), [("wrong", 2 / 4, 4, 1), ("excluded", 2 / 3, 3, 0)]
)
def test_an_unread_answer_counts_as_the_suite_says_and_an_error_never(
    policy: str, value: float, n: int, counted: int
) -> None:
    column = columns(scores(), policy, {})[RUN, "a"]
    overall = next(iter(metric_estimates(RUN, "a", column, None, about(policy))))
    assert overall.value == pytest.approx(value)
    assert (overall.n, overall.missing, overall.counted_wrong, overall.policy) == (n, 2, counted, policy)


def test_by_chance_an_unread_answer_is_right_as_often_as_a_guess() -> None:
    suite = Suite(dataset="d", task="choice", prompts=["p"], models=["m"], metrics=["a"], unread="chance")
    examples = [Example(id=str(i), inputs={}, choices=["x", "y", "z", "w"]) for i in range(5)]
    by_chance = setting("s", suite, 0.95, examples)
    column = columns(scores(), "chance", {}, chances=by_chance.chances)[RUN, "a"]
    overall = next(iter(metric_estimates(RUN, "a", column, None, by_chance)))
    assert overall.value == pytest.approx((1 + 0 + 1 + 0.25) / 4)
    assert (overall.n, overall.counted_wrong, overall.policy) == (4, 1, "chance")
    with pytest.raises(UserError, match="unread: chance: example '0' has no choices"):
        about("chance")


def test_every_slice_has_an_estimate_of_its_own() -> None:
    column = columns(scores(), "wrong", {})[RUN, "a"]
    found = {e.slice: e for e in metric_estimates(RUN, "a", column, None, about())}
    assert found.keys() == {"all", "lang=en", "lang=ko"}
    assert found["lang=ko"].value == 0.5
    assert found["lang=en"].missing == 2


def test_the_difference_is_taken_over_shared_examples_only() -> None:
    ours = columns(scores(), "excluded", {})[RUN, "a"]
    theirs = ours._replace(values={"0": 0.0, "1": 0.0, "9": 1.0})
    overall = next(iter(metric_estimates(RUN, "a", ours, ("base", theirs), about("excluded"))))
    assert (overall.difference, overall.fixed, overall.broke) == (0.5, 1, 0)
    assert overall.baseline == "base"


def test_repeats_of_an_example_are_averaged() -> None:
    twice = [*scores()[:1], Score("s", "0", "m", "p", "a", repeat=1, value=0.0)]
    assert columns(twice, "wrong", {})[RUN, "a"].values == {"0": 0.5}


def test_a_sum_with_an_unknown_part_is_not_known() -> None:
    assert total([1.0, None]) is None
    assert total([1.0, 2.0]) == 3.0


def test_costs_are_summed_by_slice_and_unknown_where_a_price_is() -> None:
    column = columns(scores(), "wrong", {RUN: {"0": 0.1, "1": 0.2, "2": None, "3": 0.1, "4": 0.1}})[RUN, "a"]
    found = {e.slice: e.cost_usd for e in metric_estimates(RUN, "a", column, None, about())}
    assert found["lang=ko"] == pytest.approx(0.3)
    assert found["all"] is None


def test_what_a_runs_calls_amount_to() -> None:
    responses = [Response("s", str(i), "m", "p", latency_s=0.1 * i, cost_usd=0.5) for i in range(4)]
    found = {e.metric: e for e in run_estimates(RUN, responses, 1, about())}
    assert found["cost_usd"].value == 2.0
    assert found["cost_usd"].low == found["cost_usd"].high == 2.0
    assert found["missing_share"].value == 0.25
    assert found["input_tokens"].value is None
    assert found["input_tokens"].reason == "unknown for 4 of 4 responses"
    assert found["latency_p50_s"].value == pytest.approx(0.15)
    assert not found["latency_p50_s"].higher_is_better


def test_an_unread_answer_counts_as_the_metrics_worst() -> None:
    column = columns(scores(), "wrong", {}, {"a": 1.0})[RUN, "a"]
    assert column.values["3"] == 1.0
    assert "3" not in columns(scores(), "excluded", {}, {"a": 1.0})[RUN, "a"].values
