"""params.yaml and its kin: every key accounted for, every mistake one line."""

from pathlib import Path

import pytest

from llmops.config import convert, params, read_yaml, section
from llmops.errors import UserError
from llmops.record import Record
from llmops.suites import Suite, load_suite, suites_to_run


class Inner(Record):
    rate: float = 1.0


class Settings(Record):
    budget_usd: float | None = None
    attempts: int = 5
    parts: dict[str, Inner] = {}
    many: list[Inner] = []


def test_an_unknown_key_is_refused_with_the_keys_there_are() -> None:
    with pytest.raises(UserError) as problem:
        convert({"budgt_usd": 1}, Settings, "params.yaml: generate")
    assert str(problem.value) == (
        "params.yaml: generate: unknown key 'budgt_usd'; keys are ['attempts', 'budget_usd', 'many', 'parts']"
    )


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ({"parts": {"a": {"rat": 1}}}, "p: parts: a: unknown key 'rat'; keys are ['rate']"),
        ({"many": [{}, {"rat": 1}]}, "p: many[2]: unknown key 'rat'; keys are ['rate']"),
    ],
)
def test_an_unknown_key_is_found_at_any_depth(value: object, where: str) -> None:
    with pytest.raises(UserError) as problem:
        convert(value, Settings, "p")
    assert str(problem.value) == where


def test_a_wrong_type_is_named_with_its_place() -> None:
    with pytest.raises(UserError, match=r"p: attempts: Expected `int`, got `str`"):
        convert({"attempts": "five"}, Settings, "p")


def test_a_broken_yaml_names_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("run: [a\nsuites: {}\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"params\.yaml:2: .*; the file must be YAML"):
        read_yaml(path)


def test_a_key_written_twice_is_refused_where_yaml_would_keep_the_last(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("run: [a]\nrun: [b]\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"params\.yaml:2: .*duplicate key .run."):
        read_yaml(path)


def test_merge_keys_of_yaml_work(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\n", encoding="utf-8")
    assert read_yaml(path)["b"] == {"x": 1, "y": 3}


def test_an_unknown_section_of_params_is_refused(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text("runs: []\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"params.yaml: unknown key 'runs'; keys are \['run', 'suites'"):
        params(tmp_path)


def test_a_section_left_out_takes_its_defaults(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text("run: []\n", encoding="utf-8")
    assert section(tmp_path, "generate", Settings) == Settings()


SUITE = """
run: [{run}]
suites:
  s:
    dataset: d
    task: label
    prompts: [p1, p2]
    models: [m1, m2]
    metrics: [label_accuracy]
    baseline: {baseline}
    rules: [{rule}]
"""


def suite(tmp_path: Path, run: str = "s", baseline: str = "{model: m1, prompt: p1}", rule: str = "") -> Suite:
    text = SUITE.replace("{run}", run).replace("{baseline}", baseline).replace("{rule}", rule)
    (tmp_path / "params.yaml").write_text(text, encoding="utf-8")
    return load_suite(tmp_path, "s")


def test_a_suite_is_read_with_its_defaults(tmp_path: Path) -> None:
    assert suite(tmp_path).unread == "wrong"
    assert suites_to_run(tmp_path) == ["s"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rule": "{metric: x}"}, r"rules\[1\]: has no bound; give one of \['at_least', 'at_most', 'no_worse_by', 'equivalent_within'\]"),
        ({"rule": "{metric: x, no_worse_by: -0.1}"}, r"no_worse_by: is -0.1; a margin is 0 or more"),
        ({"rule": "{metric: x, equivalent_within: -1}"}, r"equivalent_within: is -1.0; a margin is 0 or more"),
        ({"rule": "{metric: x, at_least: .nan}"}, r"rules\[1\]: at_least: is nan; a number must be finite"),
        ({"rule": "{metric: x, no_worse_by: .inf}"}, r"no_worse_by: is inf; a number must be finite"),
        ({"rule": "{metric: x, at_least: 1, confidence: 95}"}, r"confidence: is 95; must lie between 0 and 1, as 0.95"),
        ({"rule": "{metric: x, at_least: 1, models: [m9]}"}, r"models: 'm9' is not of this suite; models are \['m1', 'm2'\]"),
        ({"rule": "{metric: x, at_last: 1}"}, r"rules\[1\]: unknown key 'at_last'"),
        ({"baseline": "{model: m9, prompt: p1}"}, r"baseline: model: 'm9' is not of this suite"),
        ({"baseline": "null", "rule": "{metric: x, no_worse_by: 0}"}, r"no_worse_by needs a baseline"),
    ],
)  # fmt: skip
def test_a_suite_that_contradicts_itself_is_refused(
    tmp_path: Path, changes: dict[str, str], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        suite(tmp_path, **changes)


def test_running_a_suite_that_is_not_there_is_refused(tmp_path: Path) -> None:
    suite(tmp_path, run="t")
    with pytest.raises(UserError, match=r"params.yaml: run: no suite 't'; suites are \['s'\]"):
        suites_to_run(tmp_path)


def test_what_is_done_to_a_value_is_not_in_the_next_one_and_an_edit_is(tmp_path: Path) -> None:
    path = tmp_path / "some.yaml"
    path.write_text("a: [1]\n", encoding="utf-8")
    read_yaml(path)["a"].append(2)
    assert read_yaml(path) == {"a": [1]}
    path.write_text("a: [3]\n", encoding="utf-8")
    assert read_yaml(path) == {"a": [3]}
