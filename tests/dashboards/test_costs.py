import pytest
from costs import Amount, accounts, bills, by_day, latency_shares, sources, total
from reading import Evaluation, spends
from tradeoff import per_right_answer, standings

from llmops.places import Places
from llmops.records import Estimate, Spend
from tests.dashboards.a_project import MODELS


@pytest.fixture
def evaluation(project):
    return Evaluation(Places(project), "support")


def test_a_sum_says_how_much_of_it_is_not_known():
    assert total([1.0, None, 2.0]) == Amount(3.0, 1, 3)
    assert total([None, None]) == Amount(None, 2, 2)


def test_a_model_without_a_price_costs_an_unknown_amount_and_not_nothing(evaluation):
    unpriced, _, priced, _ = accounts(evaluation)
    assert unpriced.cost == Amount(None, 39, 39)
    assert unpriced.usd_per_answer() is None
    assert priced.cost.known == pytest.approx(39 * 0.0005)
    assert (priced.answers, priced.errors, priced.unpriced_errors) == (39, 1, 1)


def test_a_right_answer_costs_the_whole_cost_over_the_right_ones(evaluation):
    right = sum(s.value or 0 for s in evaluation.scores() if (s.model, s.prompt) == (MODELS[1], "support/v1"))
    cost = next(
        row
        for row in per_right_answer(evaluation, "label_accuracy")
        if (row.model, row.prompt) == (MODELS[1], "support/v1")
    )
    assert cost.usd == pytest.approx(39 * 0.0005 / right)
    assert cost.low < cost.usd < cost.high


def test_a_right_answer_of_a_model_without_a_price_costs_an_unknown_amount(evaluation):
    row = next(row for row in per_right_answer(evaluation, "label_accuracy") if row.model == MODELS[0])
    assert (row.usd, row.reason) == (None, "some_cost_unknown")


def test_nothing_beats_the_best_and_something_beats_each_other(evaluation):
    drawn = standings(evaluation, "label_accuracy", "latency")
    for each in drawn:
        beaten = [o for o in drawn if o.value >= each.value and o.effort <= each.effort and o != each]
        assert each.best is not bool(beaten)


def test_a_metric_where_less_is_better_turns_the_comparison_around(evaluation, project):
    from llmops import jsonl

    rows = [
        Estimate(
            suite="support",
            model=model,
            prompt=prompt,
            metric="edits",
            value=float(place),
            policy="wrong",
            higher_is_better=False,
        )
        for place, (model, prompt) in enumerate((m, p) for m in MODELS for p in ("support/v1", "support/v2"))
    ]
    jsonl.append(project / "results/support/estimates.jsonl", rows)
    fewest = standings(evaluation, "edits", "tokens")[0]
    assert (fewest.value, fewest.best) == (0.0, True)


def test_a_bill_adds_up_the_runs(project):
    unpriced, priced = bills(spends(project))
    assert unpriced.spent == Amount(None, 3, 3)
    assert priced.spent.known == pytest.approx(0.024)
    assert (priced.runs, priced.calls, priced.hits) == (3, 48, 72)


def test_a_day_without_a_known_price_has_no_amount(project):
    days = by_day(spends(project), ("spent_usd", "saved_usd"))
    assert sorted(days["day"].unique()) == ["2026-11-17", "2026-11-18", "2026-11-20"]
    assert days[days["kind"] == "spent_usd"]["amount"].sum() == pytest.approx(0.024)


def test_all_answers_came_within_the_slowest_ones_time(evaluation):
    frame = latency_shares(evaluation)
    slowest = max(row.latency_s for row in evaluation.responses() if row.latency_s)
    assert frame["seconds"].max() == pytest.approx(slowest)
    assert frame.groupby("candidate")["share"].max().eq(1).all()


def test_prices_have_their_sources_named_once():
    def row(source):
        return Spend(
            at="2026-11-01T00:00:00+00:00", suite="s", model="m", prompt="p", calls=1, hits=0, errors=0,
            input_tokens=1, output_tokens=1, spent_usd=0.1, saved_usd=0.0, seconds=1.0, price_source=source,
        )  # fmt: skip

    every = [row("params.yaml"), row("genai-prices 0.2.3"), row(None), row("params.yaml")]
    assert sources(every) == ["genai-prices 0.2.3", "params.yaml"]
