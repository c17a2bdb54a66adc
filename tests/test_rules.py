"""Rules: three outcomes, in words, and never silence."""

import pytest

from llmops.errors import UserError
from llmops.records import Estimate, Limits, Verdict
from llmops.rules import sentence, verdicts, worst
from llmops.suites import Baseline, Rule, Suite


def estimate(**changes: object) -> Estimate:
    base = {
        "suite": "s", "model": "m", "prompt": "p", "metric": "label_accuracy", "value": 0.85,
        "low": 0.80, "high": 0.90, "n": 200, "baseline": "m0 · p", "difference": -0.01,
        "difference_low": -0.03, "difference_high": 0.01, "method": "wilson",
    }  # fmt: skip
    return Estimate(**{**base, **changes})  # type: ignore[arg-type]


def judged(rule: Rule, *estimates: Estimate) -> list[Verdict]:
    suite = Suite(
        dataset="d", task="label", prompts=["p"], models=["m"], metrics=["label_accuracy"],
        baseline=Baseline(model="m0", prompt="p"), rules=[rule],
    )  # fmt: skip
    return list(verdicts("s", suite, list(estimates)))


@pytest.mark.parametrize(
    ("bound", "outcome", "reason"),
    [
        (0.75, "pass", "value 0.85 [0.8, 0.9] meets 0.75"),
        (0.95, "fail", "value 0.85 [0.8, 0.9] misses 0.95"),
        (
            0.84,
            "inconclusive",
            "value 0.85 [0.8, 0.9] includes 0.84; about 5,000 examples in all would decide it one time in two",
        ),
    ],
)
def test_a_threshold_passes_fails_or_is_inconclusive(bound: float, outcome: str, reason: str) -> None:
    [verdict] = judged(Rule(metric="label_accuracy", at_least=bound), estimate())
    assert (verdict.outcome, verdict.reason) == (outcome, reason)
    assert verdict.rule == f"label_accuracy at least {bound:g}"


@pytest.mark.parametrize(("margin", "outcome"), [(0.05, "pass"), (0.02, "inconclusive")])
def test_a_margin_is_held_against_the_lower_end_of_the_difference(margin: float, outcome: str) -> None:
    [verdict] = judged(Rule(metric="label_accuracy", no_worse_by=margin), estimate())
    assert verdict.outcome == outcome


def test_where_lower_is_better_the_margin_is_held_against_the_upper_end() -> None:
    worse = estimate(higher_is_better=False, difference=0.3, difference_low=0.2, difference_high=0.4)
    [verdict] = judged(Rule(metric="label_accuracy", no_worse_by=0.1), worse)
    assert verdict.outcome == "fail"


def test_a_complete_count_needs_no_interval() -> None:
    cost = estimate(metric="cost_usd", value=0.5, low=0.5, high=0.5, method="complete")
    [verdict] = judged(Rule(metric="cost_usd", at_most=0.5), cost)
    assert (verdict.outcome, verdict.reason) == ("pass", "value 0.5 meets 0.5")


def test_what_is_not_known_is_inconclusive_with_its_reason() -> None:
    cost = estimate(metric="cost_usd", value=None, low=None, high=None, reason="unknown for 3 of 9 responses")
    [verdict] = judged(Rule(metric="cost_usd", at_most=1), cost)
    assert (verdict.outcome, verdict.reason) == ("inconclusive", "unknown for 3 of 9 responses")


def test_one_known_end_can_decide() -> None:
    latency = estimate(metric="latency_p95_s", value=3.0, low=2.5, high=None)
    assert judged(Rule(metric="latency_p95_s", at_most=2), latency)[0].outcome == "fail"


def test_the_baseline_is_not_held_against_itself() -> None:
    itself = estimate(model="m0", baseline=None, difference=None, difference_low=None, difference_high=None)
    assert judged(Rule(metric="label_accuracy", no_worse_by=0), itself) == []


def test_a_margin_without_its_baseline_is_inconclusive_and_not_silent() -> None:
    alone = estimate(baseline=None, difference=None, difference_low=None, difference_high=None)
    [verdict] = judged(Rule(metric="label_accuracy", no_worse_by=0), alone)
    assert (verdict.outcome, verdict.reason) == ("inconclusive", "the baseline was not asked")


def test_a_rule_on_what_is_not_measured_is_the_users_to_mend() -> None:
    with pytest.raises(UserError, match=r"rules\[1\]: metric: 'f1' is not measured; metrics are"):
        judged(Rule(metric="f1", at_least=1), estimate())
    with pytest.raises(
        UserError, match=r"rules\[1\]: slice: 'language=fr' has no label_accuracy; slices are"
    ):
        judged(Rule(metric="label_accuracy", slice="language=fr", at_least=1), estimate())


def test_any_fail_outranks_any_inconclusive() -> None:
    assert worst(["pass", "inconclusive", "fail"]) == "fail"
    assert worst(["pass", "inconclusive"]) == "inconclusive"
    assert worst([]) is None


def judged_together(rules: list[Rule], *estimates: Estimate) -> list[Verdict]:
    suite = Suite(
        dataset="d", task="label", prompts=["p"], models=["m"], metrics=["label_accuracy"], rules=rules
    )
    return list(verdicts("s", suite, list(estimates)))


def with_limits(comparisons: int, low: float, high: float, **changes: object) -> Estimate:
    """An estimate whose interval among k comparisons reaches (k − 1) hundredths farther on each side."""
    limits = [
        Limits(k, 1 - 0.05 / k, low - 0.01 * (k - 1), high + 0.01 * (k - 1))
        for k in range(1, comparisons + 1)
    ]
    return estimate(low=low, high=high, limits=limits, **changes)


@pytest.mark.parametrize(("high", "outcome"), [(0.015, "pass"), (0.03, "inconclusive")])
def test_equivalence_holds_both_ends_of_the_difference(high: float, outcome: str) -> None:
    same = estimate(difference=0.0, difference_low=-0.015, difference_high=high)
    [verdict] = judged(Rule(metric="label_accuracy", equivalent_within=0.02), same)
    assert verdict.outcome == outcome
    assert verdict.rule == "label_accuracy within 0.02 of the baseline"


def test_equivalence_fails_when_the_difference_is_surely_beyond_the_margin() -> None:
    better = estimate(difference=0.1, difference_low=0.05, difference_high=0.15)
    [verdict] = judged(Rule(metric="label_accuracy", equivalent_within=0.02), better)
    assert (verdict.outcome, verdict.reason) == ("fail", "difference 0.1 [0.05, 0.15] misses ±0.02")


def test_several_claims_are_held_to_wider_intervals() -> None:
    rules = [Rule(metric="label_accuracy", at_least=0.8)]
    first, second = (with_limits(2, low, 0.9, model=m) for m, low in (("a", 0.82), ("b", 0.805)))
    [sure, unsure] = judged_together(rules, first, second)
    assert sure.outcome == "pass"
    assert sure.reason == "value 0.85 [0.81, 0.91] at 97.5 % meets 0.8; Holm over 2 comparisons"
    assert unsure.outcome == "pass", "the first left, so the second is the only one that remains"
    assert unsure.reason == "value 0.85 [0.805, 0.9] at 95 % meets 0.8; Holm over 2 comparisons"


def test_a_claim_that_would_pass_alone_may_not_pass_among_others() -> None:
    rules = [Rule(metric="label_accuracy", at_least=0.8)]
    found = judged_together(rules, *(with_limits(2, 0.805, 0.9, model=m) for m in "ab"))
    assert [verdict.outcome for verdict in found] == ["inconclusive"] * 2
    assert found[0].reason.startswith("value 0.85 [0.795, 0.91] at 97.5 % includes 0.8")


def test_a_pass_does_not_make_a_fail_easier() -> None:
    rules = [Rule(metric="label_accuracy", at_least=0.8)]
    [passing, failing] = judged_together(
        rules, with_limits(2, 0.85, 0.9, model="a"), with_limits(2, 0.7, 0.795, model="b", value=0.75)
    )
    assert passing.outcome == "pass"
    assert failing.outcome == "inconclusive"
    assert "[0.69, 0.805] at 97.5 % includes 0.8" in failing.reason


def test_complete_counts_are_no_comparisons() -> None:
    rules = [Rule(metric="label_accuracy", at_least=0.8), Rule(metric="cost_usd", at_most=1)]
    cost = estimate(metric="cost_usd", value=0.5, low=0.5, high=0.5, method="complete")
    found = judged_together(rules, with_limits(1, 0.81, 0.9), cost)
    assert [verdict.reason for verdict in found] == ["value 0.85 [0.81, 0.9] meets 0.8", "value 0.5 meets 1"]


def test_without_a_correction_a_verdict_says_among_how_many_it_is() -> None:
    rules = [Rule(metric="label_accuracy", at_least=0.75)]
    found = judged_together(rules, estimate(model="a"), estimate(model="b"))
    assert [verdict.outcome for verdict in found] == ["pass", "pass"]
    assert found[0].reason.endswith("meets 0.75; one of 2 comparisons, not corrected")


def test_estimates_of_fewer_rules_than_there_are_decide_nothing() -> None:
    rules = [Rule(metric="label_accuracy", at_least=0.5), Rule(metric="label_accuracy", at_most=0.99)]
    found = judged_together(rules, with_limits(1, 0.8, 0.9))
    assert {verdict.outcome for verdict in found} == {"inconclusive"}
    assert "no interval at 97.5 %: the estimates are of other rules; run `llmops compare`" in found[0].reason


def test_a_rule_with_its_own_confidence_is_decided_outside_of_the_family() -> None:
    own = Limits(0, 0.99, 0.78, 0.92)
    rules = [
        Rule(metric="label_accuracy", at_least=0.79, confidence=0.99),
        Rule(metric="label_accuracy", at_least=0.75),
    ]
    strict, alone = judged_together(rules, estimate(limits=[Limits(1, 0.95, 0.8, 0.9), own]))
    assert (strict.outcome, alone.outcome) == ("inconclusive", "pass")
    assert strict.reason.startswith(
        "value 0.85 [0.78, 0.92] at 99 % includes 0.79; about 273 examples in all"
    )
    assert strict.reason.endswith("; at the rule's own confidence")
    assert alone.reason == "value 0.85 [0.8, 0.9] meets 0.75", "one comparison, which nothing widens"


def test_a_rule_whose_own_interval_was_not_made_decides_nothing() -> None:
    [verdict] = judged(Rule(metric="label_accuracy", at_least=0.5, confidence=0.99), estimate())
    assert verdict.outcome == "inconclusive"
    assert "has no interval at 99 %: the estimates are of other rules; run `llmops compare`" in verdict.reason


def test_a_share_of_missing_answers_fails_with_its_number() -> None:
    share = estimate(metric="missing_share", value=0.12, low=0.12, high=0.12, method="complete")
    [verdict] = judged(Rule(metric="missing_share", at_most=0.05, confidence=0.99), share)
    assert (verdict.outcome, verdict.reason) == ("fail", "value 0.12 misses 0.05")


def test_a_stopped_run_says_so_in_its_verdict() -> None:
    [verdict] = judged(Rule(metric="label_accuracy", at_least=0.75), estimate(examples=400, unasked=200))
    assert verdict.reason.endswith("stopped by budget after 200 of 400 examples, drawn at random")


@pytest.mark.parametrize(("value", "reason"), [(1.0, "one value"), (None, "no values")])
def test_fewer_than_two_examples_decide_nothing_and_say_why(value: float | None, reason: str) -> None:
    lone = estimate(value=value, low=None, high=None, n=int(value or 0), reason=reason)
    [verdict] = judged(Rule(metric="label_accuracy", at_least=0.5), lone)
    assert verdict.outcome == "inconclusive"
    assert verdict.reason.endswith(reason)
    assert "nan" not in verdict.reason


def test_a_rule_reads_as_a_sentence() -> None:
    assert sentence(Rule(metric="a", no_worse_by=0.02)) == "a no worse than the baseline by more than 0.02"
    assert sentence(Rule(metric="a", at_most=2, slice="language=ko")) == "a over language=ko at most 2"
