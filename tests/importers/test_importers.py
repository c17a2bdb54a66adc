"""Files that the real tools wrote, brought in and measured: the accuracy is what the tool reported."""

import json
import zipfile
from collections import defaultdict
from pathlib import Path
from statistics import fmean

import pytest

from llmops import jsonl
from llmops.cli import main
from llmops.config import read_yaml
from llmops.errors import UserError
from llmops.importers.catalog import IMPORTERS, bring
from llmops.importers.recording import Answer
from llmops.places import Places
from llmops.records import Estimate, Response, Score
from llmops.stages import compare, fetch, generate, score, validate

FILES = Path(__file__).parent / "files"
EXPECTATIONS = Path(__file__).parents[2] / "data" / "expectations"
PROMPTFOO = FILES / "promptfoo-capitals.json"
CHOICES = FILES / "inspect-choices.json"
LOG = FILES / "inspect-choices.eval"
CAPITALS, REPEATED = FILES / "inspect-capitals.eval", FILES / "inspect-sums.eval"
[GENERATED] = FILES.glob("lm-eval/table-1/samples_*.jsonl")
[WEIGHED] = FILES.glob("lm-eval/dummy/samples_*.jsonl")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "data" / "expectations").mkdir(parents=True)
    for path in EXPECTATIONS.glob("*.yaml"):
        (tmp_path / "data" / "expectations" / path.name).write_bytes(path.read_bytes())
    (tmp_path / "params.yaml").write_text("run: []\nsuites:\nmodels:\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return tmp_path


def paste(project: Path, printed: str) -> None:
    """Put the lines where their comments say, as a person does."""
    suite, _, models = printed.partition("# Below `models:`.\n")
    path = project / "params.yaml"
    text = path.read_text(encoding="utf-8").replace("suites:\n", f"suites:\n{suite}")
    path.write_text(text.replace("\nmodels:\n", f"\nmodels:\n{models}\n"), encoding="utf-8")


def measured(project: Path, printed: str) -> str:
    """Measure the pasted suite, without its rules and MLflow, and return its name."""
    paste(project, printed)
    [name] = read_yaml(project / "params.yaml")["suites"]
    places = Places(project)
    fetch.main(places, [name])
    for stage in (validate, generate, score, compare):
        stage.main(places, name)
    return str(name)


def results(project: Path, name: str, file: str, kind: type) -> list:  # type: ignore[type-arg]
    return list(jsonl.read(project / "results" / name / file, kind))


def reported(project: Path, name: str, metric: str) -> dict[str, float]:
    """Return what the tool reported for each model, over the examples that have an answer."""
    found = defaultdict(list)
    for answer in jsonl.read(project / "data" / "sets" / name / "recorded.jsonl", Answer):
        if answer.error is None:
            found[answer.model].append(answer.reported[metric])
    return {model: fmean(values) for model, values in found.items()}


@pytest.mark.parametrize(
    ("tool", "file", "theirs", "ours", "values"),
    [
        ("promptfoo", PROMPTFOO, "pass", "exact_match", [5 / 6, 5 / 6, 3 / 5, 2 / 5]),
        ("inspect", CHOICES, "choice", "label_accuracy", [0.75]),
        ("inspect", LOG, "choice", "label_accuracy", [0.75]),
        ("inspect", CAPITALS, "exact", "normalised_match", [0.75]),
        ("inspect", REPEATED, "match", "numeric_match", [0.25]),
        ("lm-eval", GENERATED, "exact_match,flexible", "numeric_match", [4 / 6]),
        ("lm-eval", WEIGHED, "acc,none", "exact_match", [2 / 6]),
    ],
    ids=lambda value: value.name if isinstance(value, Path) else None,
)
def test_the_accuracy_is_what_the_tool_reported(
    project: Path, tool: str, file: Path, theirs: str, ours: str, values: list[float]
) -> None:
    name = measured(project, bring(project, tool, [file]))
    estimates = {
        e.model: e for e in results(project, name, "estimates.jsonl", Estimate) if e.metric == ours and e.slice == "all"
    }  # fmt: skip
    assert {model: e.value for model, e in estimates.items()} == pytest.approx(
        reported(project, name, theirs)
    )
    assert [e.value for e in estimates.values()] == pytest.approx(values)
    assert all(e.low < e.value < e.high for e in estimates.values())


def test_an_imported_suite_runs_with_llmops_run(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["import", "promptfoo", str(PROMPTFOO), "--name", "capitals"])
    paste(project, capsys.readouterr().out)
    main(["run", "capitals"])
    assert "hasty-table-1.0-long" in capsys.readouterr().out


def test_what_failed_there_is_missing_here_and_never_wrong(project: Path) -> None:
    name = measured(project, bring(project, "promptfoo", [PROMPTFOO]))
    responses = results(project, name, "responses.jsonl", Response)
    assert [r.model for r in responses if r.error] == ["hasty-table-1.0-short", "hasty-table-1.0-long"]
    scores = results(project, name, "scores.jsonl", Score)
    assert {s.missing for s in scores if s.value is None} == {"error"}
    [kept] = {
        a.error for a in jsonl.read(project / "data" / "sets" / name / "recorded.jsonl", Answer) if a.error
    }
    assert kept == "the table has no line for it"


def test_an_answer_carries_what_the_tool_knew_of_it_and_no_more(project: Path) -> None:
    name = measured(project, bring(project, "promptfoo", [PROMPTFOO]))
    first = results(project, name, "responses.jsonl", Response)[0]
    assert (first.answer, first.input_tokens, first.output_tokens) == ("Paris", 18, 2)
    assert (first.cost_usd, first.latency_s, first.served_model) == (
        0.0018000000000000002,
        0.012,
        "table:steady",
    )
    bare = bring(project, "lm-eval", [WEIGHED])
    assert "cost_usd" not in bare
    assert "latency_s" not in bare


def test_a_log_is_read_the_same_in_both_formats() -> None:
    one, other = IMPORTERS["inspect"](CHOICES), IMPORTERS["inspect"](LOG)
    assert one.questions == other.questions
    assert list(one.labels) == list(other.labels) == ["A", "B", "C"]
    assert [a.answer for a in one.answers] == [a.answer for a in other.answers]
    assert one.questions[3].inputs == {"input": "다음 중 과일은?\nA) 사과\nB) 바위"}


def test_repeats_of_a_question_are_one_cluster(project: Path) -> None:
    name = measured(project, bring(project, "inspect", [REPEATED]))
    [estimate] = [
        e for e in results(project, name, "estimates.jsonl", Estimate) if e.metric == "numeric_match"
    ]
    assert (estimate.n, estimate.method) == (8, "clustered t")


def test_two_files_of_one_task_are_compared_pair_by_pair(project: Path) -> None:
    name = measured(project, bring(project, "inspect", [CHOICES, LOG], "both"))
    found = [e for e in results(project, name, "estimates.jsonl", Estimate) if e.metric == "label_accuracy"]
    assert [e.model for e in found] == ["mockllm-guess", "mockllm-guess-2"]
    assert (found[1].difference, found[1].fixed, found[1].broke) == (0.0, 0, 0)


def test_files_that_ask_different_questions_are_not_one_suite(project: Path) -> None:
    text = PROMPTFOO.read_text(encoding="utf-8").replace("France", "Gaul")
    (project / "other.json").write_text(text, encoding="utf-8")
    said = r"promptfoo-capitals\.json: question '0' is not that of other\.json; import them apart"
    with pytest.raises(UserError, match=said):
        bring(project, "promptfoo", [Path("other.json"), PROMPTFOO])
    assert not (project / "data" / "sets").exists()


def test_a_model_whose_name_is_taken_gets_a_number(project: Path) -> None:
    paste(project, bring(project, "inspect", [CAPITALS]))
    assert "  mockllm-table-2:\n    &sums" in bring(project, "inspect", [REPEATED])


def test_nothing_is_overwritten(project: Path) -> None:
    bring(project, "inspect", [CHOICES])
    with pytest.raises(UserError, match=r"data/sets/choices: is there already; give another `--name`"):
        bring(project, "inspect", [LOG])


def write_log(path: Path, **members: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members.items():
            archive.writestr(f"{name}.json", text)
    return path


def changed(path: Path, old: str, new: str) -> str:
    text = path.read_text(encoding="utf-8")
    assert old in text
    return text.replace(old, new, 1)


@pytest.mark.parametrize(
    ("tool", "name", "text", "said"),
    [
        ("promptfoo", "r.json", "[1]", "r.json: Expected `object`, got `array`; give a result file"),
        ("promptfoo", "r.json", '{"results": {"results": []}}', "r.json: results.results: is empty"),
        ("promptfoo", "r.json", changed(PROMPTFOO, '"testIdx"', '"tstIdx"'), "r.json: results.results[0]: missing field `testIdx`"),
        ("promptfoo", "r.json", changed(PROMPTFOO, '"latencyMs": ', '"latencyMs": "soon", "x": '), "r.json: results.results[0].latencyMs: Expected `float | null`, got `str`"),
        ("promptfoo", "r.json", CHOICES.read_text(encoding="utf-8"), "r.json: results: missing field `results`"),
        ("inspect", "r.json", PROMPTFOO.read_text(encoding="utf-8"), "r.json: missing field `eval`"),
        ("inspect", "r.json", changed(CHOICES, '"epoch"', '"epooch"'), "r.json: samples[0]: missing field `epoch`"),
        ("inspect", "r.json", '{"status": "success", "eval": {"task": "t", "model": "m"}, "samples": []}', "r.json: samples: is empty"),
        ("inspect", "r.eval", "not a zip file", "r.eval: File is not a zip file"),
        ("lm-eval", "r.jsonl", "", "r.jsonl: is empty"),
        ("lm-eval", "r.jsonl", changed(GENERATED, '"doc_id"', '"doc"'), "r.jsonl:1: missing field `doc_id`"),
        ("lm-eval", "r.jsonl", changed(WEIGHED, '"target": "0"', '"target": "9"'), "r.jsonl:1: target, resps: are '9'"),
        ("lm-eval", "r.jsonl", changed(WEIGHED, '" blue"', '" red"'), "r.jsonl:1: arguments: arg_1: [' red', ' red', ' a loud noise'] are no choices"),
        ("deepeval", "r.json", "{}", "import: unknown tool 'deepeval'; tools are ['inspect', 'lm-eval', 'promptfoo']"),
        ("inspect", "", "", "none.json: no such file"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 60 else "",
)  # fmt: skip
def test_a_strange_file_is_one_line_that_names_file_and_field(
    project: Path, capsys: pytest.CaptureFixture[str], tool: str, name: str, text: str, said: str
) -> None:
    if name:
        (project / name).write_text(text, encoding="utf-8")
    with pytest.raises(SystemExit) as stop:
        main(["import", tool, name or "none.json"])
    assert stop.value.code == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(said)
    assert not (project / "data" / "sets").exists()


def test_a_log_that_was_cut_short_is_told(project: Path) -> None:
    with pytest.raises(UserError, match=r"cut\.eval: has no header\.json, so its run was cut short"):
        bring(project, "inspect", [write_log(project / "cut.eval", summaries="[]")])
    whole = LOG.read_bytes()
    (project / "bad.eval").write_bytes(whole[:5000] + b"\0" * 40 + whole[5040:])
    with pytest.raises(UserError, match=r"bad\.eval: .*\.json"):
        bring(project, "inspect", [project / "bad.eval"])


def test_a_choice_is_right_by_its_number_or_its_text(project: Path) -> None:
    row = json.loads(WEIGHED.read_text(encoding="utf-8").splitlines()[0])
    for target, right in (("1", "blue"), ("red", "red")):
        (project / "r.jsonl").write_text(json.dumps({**row, "target": target}), encoding="utf-8")
        assert IMPORTERS["lm-eval"](project / "r.jsonl").questions[0].target == right


def test_a_cached_answer_of_promptfoo_has_neither_latency_nor_cost(project: Path) -> None:
    (project / "r.json").write_text(changed(PROMPTFOO, '"response": {', '"response": {"cached": true,'), encoding="utf-8")  # fmt: skip
    first = IMPORTERS["promptfoo"](project / "r.json").answers[0]
    assert (first.latency_s, first.cost_usd) == (None, None)
