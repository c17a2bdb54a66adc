"""The compare stage: differences to a run of the suite, or to an accepted file of scores."""

import json
import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace

from llmops import jsonl
from llmops.errors import UserError
from llmops.places import Places
from llmops.records import Estimate, Example, Response, Score, Verdict
from llmops.stages import compare, gate

PARAMS = """
suites:
  s: {dataset: d, task: label, prompts: [p], models: [m], metrics: [label_accuracy], baseline: BASELINE}
"""


CARD = "name: d\nlicence: internal\nfiles: [{path: rows.csv}]\nfields: {inputs: {q: q}}\n"
EXPECTATIONS = Path(__file__).parent.parent / "data" / "expectations"


def project(root: Path, baseline: str) -> Places:
    shutil.copytree(EXPECTATIONS, root / "data" / "expectations", dirs_exist_ok=True)
    jsonl.write_text(root / "data" / "sets" / "d" / "card.yaml", CARD)
    (root / "params.yaml").write_text(PARAMS.replace("BASELINE", baseline), encoding="utf-8")
    places = Places(root)
    jsonl.write(places.suite("s", "examples.jsonl"), [Example(str(i), {}, target="a") for i in range(8)])
    jsonl.write(
        places.suite("s", "responses.jsonl"), [Response("s", str(i), "m", "p", answer="a") for i in range(8)]
    )
    jsonl.write(places.suite("s", "scores.jsonl"), scores("m", [1, 1, 1, 1, 1, 1, 0, 0]))
    return places


def scores(model: str, values: list[float]) -> list[Score]:
    return [
        Score("s", str(i), model, "p", "label_accuracy", value=float(v), read="a" if v else "b", target="a")
        for i, v in enumerate(values)
    ]


def test_an_accepted_file_is_the_baseline_of_every_run(tmp_path: Path) -> None:
    jsonl.write(tmp_path / "baselines" / "accepted.jsonl", scores("older", [1, 1, 1, 1, 0, 0, 0, 1]))
    places = project(tmp_path, "{file: baselines/accepted.jsonl}")
    compare.main(places, "s")
    overall = next(
        e for e in jsonl.read(places.suite("s", "estimates.jsonl"), Estimate) if e.metric == "label_accuracy"
    )
    assert (overall.baseline, overall.difference, overall.fixed, overall.broke) == (
        "baselines/accepted.jsonl",
        0.125,
        2,
        1,
    )


def test_a_verdict_says_when_the_baseline_lacks_some_of_the_examples(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    jsonl.write(tmp_path / "baselines" / "accepted.jsonl", scores("older", [1, 1, 1, 1, 0, 0]))
    places = project(tmp_path, "{file: baselines/accepted.jsonl}")
    params = (tmp_path / "params.yaml").read_text(encoding="utf-8").rstrip()[:-1]
    rules = "rules: [{metric: label_accuracy, no_worse_by: 0.1}, {metric: label_accuracy, at_least: 0.1}]"
    jsonl.write_text(tmp_path / "params.yaml", f"{params}, {rules}}}\n")
    compare.main(places, "s")
    assert "nothing beside baselines/accepted.jsonl tells the data set's version" in capsys.readouterr().err
    gate.main(places, "s")
    shared, own = (v.reason for v in jsonl.read(places.suite("s", "verdicts.jsonl"), Verdict))
    assert "; over the 6 of 8 examples that the baseline shares" in shared
    assert "baseline" not in own


def test_an_accepted_file_of_two_runs_needs_one_of_them_named(tmp_path: Path) -> None:
    jsonl.write(tmp_path / "baselines" / "accepted.jsonl", [*scores("one", [1] * 8), *scores("two", [0] * 8)])
    with pytest.raises(
        UserError, match=r"baselines/accepted.jsonl holds the runs \['one · p', 'two · p'\]; name one"
    ):
        compare.main(project(tmp_path, "{file: baselines/accepted.jsonl}"), "s")
    places = project(tmp_path, "{file: baselines/accepted.jsonl, model: two}")
    compare.main(places, "s")
    overall = next(
        e for e in jsonl.read(places.suite("s", "estimates.jsonl"), Estimate) if e.metric == "label_accuracy"
    )
    assert overall.difference == 0.75


def test_the_confusion_and_the_classes_are_written_for_people_and_for_dvc(tmp_path: Path) -> None:
    places = project(tmp_path, "null")
    compare.main(places, "s")
    confusion = places.suite("s", "plots", "confusion.csv").read_text(encoding="utf-8").splitlines()
    assert sorted(confusion[1:]) == ["a,a"] * 6 + ["a,b"] * 2
    classes = places.suite("s", "classes.csv").read_text(encoding="utf-8").splitlines()
    label_b = next(line for line in classes if ",b," in line)
    assert label_b.startswith("s,m,p,b,0,2,0.0,")
    assert label_b.endswith(",,,,,,")


def test_a_baseline_whose_edits_no_stage_would_see_is_refused(tmp_path: Path) -> None:
    places = project(tmp_path, "{file: accepted.jsonl}")
    with pytest.raises(
        UserError, match=r"'accepted.jsonl' lies where no edit would be seen; put it below one of"
    ):
        compare.main(places, "s")


def test_repeats_leave_macro_f1_without_an_interval_and_with_a_reason(tmp_path: Path) -> None:
    places = project(tmp_path, "null")
    params = tmp_path / "params.yaml"
    params.write_text(
        params.read_text(encoding="utf-8").replace("task: label", "task: label, repeats: 2"), encoding="utf-8"
    )
    compare.main(places, "s")
    macro = next(
        e for e in jsonl.read(places.suite("s", "estimates.jsonl"), Estimate) if e.metric == "macro_f1"
    )
    assert macro.value is not None
    assert (macro.low, macro.high) == (None, None)
    assert macro.reason is not None
    assert "repeat" in macro.reason


def test_responses_that_break_their_expectations_make_no_estimate(tmp_path: Path) -> None:
    places = project(tmp_path, "null")
    path = places.suite("s", "responses.jsonl")
    responses = list(jsonl.read(path, Response))
    jsonl.write(path, [*responses, responses[0]])
    with pytest.raises(UserError, match=r"responses.jsonl:1: .*'example_id': '0'.* comes more than once"):
        compare.main(places, "s")
    assert not places.suite("s", "estimates.jsonl").exists()
    report = json.loads(places.suite("s", "validation", "responses.json").read_bytes())
    assert (report["success"], report["checked"], report["failed"]) == (False, 9, 2)


def test_what_is_odd_in_responses_is_told_beside_the_estimates(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = project(tmp_path, "null")
    path = places.suite("s", "responses.jsonl")
    jsonl.write(path, [replace(r, answer="") for r in list(jsonl.read(path, Response))])
    compare.main(places, "s")
    assert "compare s: warning: " in capsys.readouterr().err
    assert places.suite("s", "estimates.jsonl").exists()


def test_what_rules_speak_of_has_its_intervals_among_as_many_comparisons(tmp_path: Path) -> None:
    jsonl.write(tmp_path / "baselines" / "accepted.jsonl", scores("older", [1, 1, 1, 1, 0, 0, 0, 1]))
    places = project(tmp_path, "{file: baselines/accepted.jsonl}")
    params = (tmp_path / "params.yaml").read_text(encoding="utf-8")
    rules = "[{metric: label_accuracy, at_least: 0.5}, {metric: label_accuracy, no_worse_by: 0.1}]"
    plain = f"{params.rstrip()[:-1]}, rules: {rules}}}\n"

    def made(compare_section: str) -> dict[str, Estimate]:
        (tmp_path / "params.yaml").write_text(plain + compare_section, encoding="utf-8")
        compare.main(places, "s")
        return {e.metric: e for e in jsonl.read(places.suite("s", "estimates.jsonl"), Estimate)}

    both = made("")
    alone = made("compare: {confidence: 0.975, correction: none}\n")["label_accuracy"]
    plain = plain.replace("at_least: 0.5}", "at_least: 0.5, confidence: 0.975}")
    own = made("compare: {correction: none}\n")["label_accuracy"].limits
    first, second = both["label_accuracy"].limits
    assert own == [replace(second, comparisons=0)]
    assert (first.comparisons, first.low, first.high) == (
        1, both["label_accuracy"].low, both["label_accuracy"].high,
    )  # fmt: skip
    assert (second.comparisons, second.confidence) == (2, 0.975)
    assert (second.low, second.high) == (alone.low, alone.high)
    assert (second.difference_low, second.difference_high) == (alone.difference_low, alone.difference_high)
    assert alone.limits == both["macro_f1"].limits == []
