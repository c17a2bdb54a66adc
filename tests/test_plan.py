"""`llmops plan`: what the examples can decide."""

from pathlib import Path

import msgspec
import pytest

from llmops import jsonl
from llmops.errors import UserError
from llmops.places import Places
from llmops.plan import main, planned
from llmops.records import Estimate, Score

PARAMS = """
suites:
  s:
    dataset: d
    task: label
    prompts: [p]
    models: [old, new]
    metrics: [label_accuracy]
    repeats: 2
    baseline: {model: old, prompt: p}
    rules:
    - {metric: label_accuracy, at_least: 0.7}
    - {metric: label_accuracy, no_worse_by: 0.05}
    - {metric: cost_usd, at_most: 1}
models: {old: {kind: python, function: "apps/a.py:f"}, new: {kind: python, function: "apps/a.py:f"}}
"""


@pytest.fixture
def places(tmp_path: Path) -> Places:
    (tmp_path / "params.yaml").write_text(PARAMS, encoding="utf-8")
    made = Places(tmp_path)
    about = {"suite": "s", "prompt": "p", "n": 400, "policy": "wrong"}
    jsonl.write(
        made.suite("s", "estimates.jsonl"),
        [
            Estimate(metric="label_accuracy", model="old", value=0.8, low=0.761, high=0.839, cost_usd=4.0, **about),
            Estimate(
                metric="label_accuracy", model="new", value=0.8, low=0.761, high=0.839, cost_usd=None,
                difference=0.0, difference_low=-0.03, difference_high=0.03, **about,
            ),
            Estimate(metric="cost_usd", model="old", value=4.0, low=4.0, high=4.0, method="complete", suite="s", prompt="p"),
        ],
    )  # fmt: skip
    values = {"a": (1.0, 1.0), "b": (0.0, 0.0), "c": (1.0, 0.0)}
    scores = [
        Score("s", example, "old", "p", "label_accuracy", repeat=repeat, value=value)
        for example, pair in values.items()
        for repeat, value in enumerate(pair)
    ]
    jsonl.write(made.suite("s", "scores.jsonl"), scores)
    return made


def test_rules_need_as_many_examples_as_their_distance_and_spread_ask_for(places: Places) -> None:
    needs = {(row.model, row.rule.partition(" ")[2]): row for row in planned(places, "s").needs}
    assert set(needs) == {
        ("old", "at least 0.7"),
        ("new", "at least 0.7"),
        ("new", "no worse than the baseline by more than 0.05"),
    }, "a count that is complete needs no more"
    assert needs["old", "at least 0.7"].needed == 166, "(3.2356 * 0.398 / 0.1)^2, one of three"
    margin = needs["new", "no worse than the baseline by more than 0.05"]
    assert (margin.needed, margin.needed_if_alike) == (393, 393), "(3.2356 * 0.3061 / 0.05)^2"


def test_more_examples_cost_what_those_so_far_did_and_an_unknown_price_stays_unknown(places: Places) -> None:
    found = {row.model: row.cost_usd for row in planned(places, "s").needs}
    assert found == {"old": 0.0, "new": None}


def test_repeats_tell_how_much_of_the_spread_lies_between_examples(
    places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    sights = {row.model: row for row in planned(places, "s").sights}
    assert sights["old"].example_share == pytest.approx(0.5)
    assert sights["new"].example_share is None
    main(places, ["s"])
    assert "repeats without end leave 50% of that of one answer each" in capsys.readouterr().out


def test_the_tables_and_the_json_tell_the_same(places: Places, capsys: pytest.CaptureFixture[str]) -> None:
    main(places, ["s"], as_json=True)
    [told] = msgspec.json.decode(capsys.readouterr().out)
    assert [row["needed"] for row in told["needs"]] == [166, 166, 393]


def test_an_unknown_suite_is_said(places: Places) -> None:
    with pytest.raises(UserError, match="no suite 'z'"):
        planned(places, "z")
