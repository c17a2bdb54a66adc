"""`llmops run --sequential`: what is decided, and when."""

import random
from pathlib import Path

import pytest

from llmops import sequential
from llmops.cli import main
from llmops.errors import UserError
from llmops.questions import drawing_order
from llmops.records import Example, Score
from llmops.sequential import Claim, Looked, claims
from llmops.suites import Baseline, Rule, Suite
from llmops.summary import setting

IDS = [f"e{i}" for i in range(600)]
RULES = [Rule("x", at_least=0.7), Rule("x", no_worse_by=0.02)]
SUITE = Suite("d", "t", ["p"], ["old", "new"], ["x"], baseline=Baseline("old", "p"), rules=RULES)


def _scores(model: str, share: float, seed: int, count: int) -> list[Score]:
    draw = random.Random(seed)
    values = [float(draw.random() < share) for _ in IDS]
    return [Score("s", i, model, "p", "x", value=v) for i, v in zip(IDS[:count], values, strict=False)]


def _claims(count: int, suite: Suite = SUITE, falling: frozenset[str] = frozenset()) -> dict[str, Claim]:
    old, new = _scores("old", 0.6, 1, count), _scores("new", 0.9, 2, count)
    looked = Looked(suite, {i: place for place, i in enumerate(IDS)}, 0.95, falling)
    about = setting("s", suite, 0.95, [Example(i, {}) for i in IDS[:count]])
    found = claims(looked, about, [*old, *new], old)
    return {f"{c.run.model} {'margin' if c.rule.no_worse_by else 'bound'}": c for c in found}


def test_a_clear_case_is_decided_early_and_a_close_one_later_or_never() -> None:
    outcomes = {count: {name: c.outcome for name, c in _claims(count).items()} for count in (50, 200, 600)}
    assert set(outcomes[50].values()) == {"inconclusive"}
    assert outcomes[200] == {"old bound": "inconclusive", "new bound": "pass", "new margin": "pass"}
    assert outcomes[600]["old bound"] == "fail"


def test_a_metric_of_which_less_is_better_is_worse_where_it_rose() -> None:
    assert _claims(600, falling=frozenset({"x"}))["new margin"].outcome == "fail"


def test_equal_runs_within_a_wide_margin_are_shown_to_be_equivalent() -> None:
    rule = Rule("x", equivalent_within=0.5, models=["new"])
    suite = Suite("d", "t", ["p"], ["old", "new"], ["x"], baseline=Baseline("old", "p"), rules=[rule])
    assert [c.outcome for c in _claims(600, suite).values()] == ["pass"]


def test_a_suite_without_a_rule_on_a_mean_says_what_is_missing() -> None:
    suite = Suite("d", "t", ["p"], ["m"], ["x"], rules=[Rule("cost_usd", at_most=1.0)])
    with pytest.raises(UserError, match="no rule is on a mean"):
        _claims(50, suite)


def test_each_block_holds_the_one_before_it_and_the_last_is_all() -> None:
    blocks = list(sequential._blocks(733))
    assert blocks == [50, 75, 112, 169, 253, 380, 570, 733]
    assert list(sequential._blocks(20)) == [20]
    assert set(drawing_order(733, 0)[:50]) < set(drawing_order(733, 0)[:75])


def test_a_limit_contradicts_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "params.yaml").write_text("suites: {}\n", encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["--root", str(tmp_path), "run", "s", "--sequential", "--limit", "5"])
    assert ended.value.code == 2
    assert "leave out --limit" in capsys.readouterr().err
