"""`llmops run --sequential`: runs are asked until they are decided, and all that shows them says so."""

import shutil
from pathlib import Path

import pytest

from llmops import jsonl
from llmops.cli import main
from llmops.drawing import Drawing
from llmops.looks import Looks
from llmops.places import TRYOUTS, Places
from llmops.records import DECIDED, Estimate, Response, Spend, Verdict
from llmops.stages import compare, fetch, gate, generate, judge, score, show, validate

ROOT = Path(__file__).resolve().parent.parent
PARAMS = """
suites:
  tiny:
    dataset: tiny
    task: label
    prompts: [short]
    models: [poor, good, close]
    metrics: [label_accuracy]
    unread: wrong
    baseline: {model: poor, prompt: short}
    rules:
      - {metric: label_accuracy, no_worse_by: 0.05, models: [good, close]}
      - {metric: missing_share, at_most: 0.02}
models:
  poor: {kind: python, file: apps/bots.py, function: poor}
  good: {kind: python, file: apps/bots.py, function: good}
  close: {kind: python, file: apps/bots.py, function: close}
"""
BOTS = """
def _right(inputs, share, salt):
    return int(inputs["question"].split()[1]) * 7919 % 1000 + salt < 1000 * share

def poor(inputs, messages):
    return "parcel" if _right(inputs, 0.5, 0) else "refund"

def good(inputs, messages):
    return "parcel" if _right(inputs, 0.95, 0) else "refund"

def close(inputs, messages):
    return "parcel" if _right(inputs, 0.5, 50) else "refund"
"""
COUNT = 400


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rows = "".join(f"question {n} about a parcel,parcel\n" for n in range(COUNT))
    files = {
        "params.yaml": PARAMS,
        "apps/bots.py": BOTS,
        "prompts/short.yaml": "messages:\n- {role: user, content: '{{ question }}'}\n",
        "data/sets/tiny/card.yaml": "name: tiny\nlicence: internal\nfiles: [{path: rows.csv}]\n"
        "fields: {inputs: {question: q}, target: a}\nlabels: [parcel, refund]\n",
        "data/sets/tiny/rows.csv": "q,a\n" + rows,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    shutil.copytree(ROOT / "data" / "expectations", tmp_path / "data" / "expectations")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LLMOPS_STATE", raising=False)
    return tmp_path


def asked(project: Path) -> dict[str, list[Response]]:
    """Model → its responses to what was asked."""
    rows = list(jsonl.read(project / "runs" / "tiny" / "responses.jsonl", Response))
    assert len(rows) == 3 * COUNT
    answered = [row for row in rows if row.error is None or row.error.kind != DECIDED]
    return {name: [row for row in answered if row.model == name] for name in ("poor", "good", "close")}


def overall(project: Path) -> dict[str, Estimate]:
    found = jsonl.read(project / "runs" / "tiny" / "estimates.jsonl", Estimate)
    return {e.model: e for e in found if e.metric == "label_accuracy"}


def evaluate(project: Path) -> Looks:
    """Do the stages of `llmops run tiny --sequential` but the last."""
    places = Places(project, TRYOUTS)
    fetch.main(places, ["tiny"])
    validate.main(places, "tiny")
    looks = Looks(places, "tiny")
    generate.main(places, "tiny", watch=looks)
    finish(places)
    return looks


def finish(places: Places) -> None:
    for stage in (score, judge, compare, gate):
        stage.main(places, "tiny")
    show.main(places, "tiny")


def test_a_clear_run_stops_early_and_a_close_one_goes_on_with_its_baseline(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    looks = evaluate(project)
    counts = {model: len(rows) for model, rows in asked(project).items()}
    assert counts["good"] < COUNT / 2
    assert counts["poor"] == counts["close"] == COUNT
    told = f"stopped early by a sequential test after {counts['good']} of {COUNT} examples"
    assert f"tiny: good · short: {told}, which saved {COUNT - counts['good']} calls, –" in looks.told()
    assert told in capsys.readouterr().out, "the table says so too"
    spent = {row.model: row.calls for row in jsonl.read(project / ".llmops" / "spend.jsonl", Spend)}
    assert spent == counts, "no call was made beyond"

    good = overall(project)["good"]
    assert (good.n, good.examples, good.unasked, good.decided) == (
        counts["good"],
        COUNT,
        COUNT - good.n,
        COUNT - good.n,
    )
    assert good.method == "confidence sequence"
    assert good.difference_low is not None
    assert good.difference_low > -0.05
    outcomes = {
        (v.model, v.metric): (v.outcome, told in v.reason)
        for v in jsonl.read(project / "runs" / "tiny" / "verdicts.jsonl", Verdict)
    }
    assert outcomes["good", "label_accuracy"] == ("pass", True)
    assert outcomes["close", "label_accuracy"] == ("inconclusive", False)
    assert outcomes["good", "missing_share"] == ("pass", True), "what was decided without is not missing"


def test_what_was_asked_stands_at_the_front_of_one_random_order(project: Path) -> None:
    evaluate(project)
    found = asked(project)
    assert sorted(row.drawn or 0 for row in found["good"]) == list(range(len(found["good"])))
    by_model = [{row.example_id: row.drawn for row in rows} for rows in (found["poor"], found["close"])]
    assert by_model[0] == by_model[1], "so that pairs are of the same examples"
    firsts = [row.example_id for row in found["good"][:20]]
    assert firsts != [row.example_id for row in found["poor"][:20]], "drawn, not the first of the file"


@pytest.mark.slow
def test_a_published_sequential_run_is_made_anew_from_its_answers(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["run", "tiny", "--sequential"])
    capsys.readouterr()
    main(["verify", "runs/tiny"])
    assert "equal: runs/tiny" in capsys.readouterr().out


def test_afterwards_a_usual_run_asks_what_was_left(project: Path) -> None:
    evaluate(project)
    generate.main(Places(project, TRYOUTS), "tiny")
    finish(Places(project, TRYOUTS))
    assert {len(rows) for rows in asked(project).values()} == {COUNT}
    assert {e.method for e in overall(project).values()} == {"wilson"}


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("- {metric: label_accuracy, no_worse_by: 0.05, models: [good, close]}", "", "has nothing to decide"),
        ("{question: q}, target: a}", "{question: q}, target: a, cluster: a}", "shares a source"),
    ],
)
def test_a_suite_that_looks_would_mislead_is_refused_in_a_line(
    project: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, problem: str
) -> None:
    for path in (project / "params.yaml", project / "data/sets/tiny/card.yaml"):
        path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["run", "tiny", "--sequential"])
    assert ended.value.code == 2
    assert problem in capsys.readouterr().err.splitlines()[-1]


class Few:
    """Seven examples, asked twice through each of two prompts."""

    repeats = 2
    examples = range(7)


def judged_by_a_function(project: Path, rule: str) -> None:
    """Give the suite a judge, and a rule on what it says."""
    params = project / "params.yaml"
    text = params.read_text(encoding="utf-8").replace(
        "    rules:\n", f"    judges: [named]\n    rules:\n      - {{{rule}}}\n"
    )
    judge = "judges:\n  named: {kind: python, file: apps/judge.py, function: named}\n"
    params.write_text(text + judge, encoding="utf-8")
    source = "def named(example, response):\n    return response.answer == 'parcel'\n"
    (project / "apps/judge.py").write_text(source, encoding="utf-8")


def test_a_rule_on_a_judge_is_not_decided_for_a_run_that_stopped_before_it(project: Path) -> None:
    judged_by_a_function(project, "metric: named, at_least: 0.2, confidence: 0.95")
    main(["run", "tiny", "--sequential"])
    rows = jsonl.read(project / "runs/tiny/verdicts.jsonl", Verdict)
    found = {row.model: row for row in rows if row.metric == "named"}
    assert (found["good"].outcome, found["close"].outcome) == ("inconclusive", "pass")
    assert found["good"].reason.startswith("a sequential test stopped the run, for which a judged interval")


def test_a_rule_on_a_judge_within_the_family_is_refused_for_a_sequential_run(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    judged_by_a_function(project, "metric: named, at_least: 0.2")
    with pytest.raises(SystemExit) as stopped:
        main(["run", "tiny", "--sequential"])
    assert stopped.value.code == 2
    assert "rules[1]: 'named' is judged after the answers are asked" in capsys.readouterr().err


def test_blocks_hold_every_question_once_and_repeats_stay_together() -> None:
    drawing = Drawing(Few(), seed=3)  # type: ignore[arg-type]
    numbers = drawing.numbers([0, 1], range(len(drawing)))
    assert sorted(numbers) == list(range(28))
    assert [drawing.place(number) for number in numbers] == [place for place in range(7) for _ in range(4)]


def test_blocks_grow_by_half_of_what_was_asked() -> None:
    few = Few()
    few.examples = range(200)
    assert [len(block) for block in Drawing(few, 0).blocks()] == [32, 16, 24, 36, 54, 38]  # type: ignore[arg-type]
