"""The commands as users type them, and every mistake of theirs in one line with exit code 2."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from llmops.cli import main

CARD = "name: tiny\nlicence: internal\nfiles: [{path: rows.csv}]\nfields: {inputs: {question: q}, target: a}\nlabels: from_targets\n"
ROWS = "q,a\nwhere is my parcel,delivery\nmoney back,refund\n환불해 주세요,refund\n"
PROMPT = "messages:\n- {role: user, content: '{{ question }}'}\n"
APP = "def answer(inputs, messages):\n    return 'delivery' if 'parcel' in inputs['question'] else 'refund'\n"
PARAMS = """
run: [tiny]
suites:
  tiny:
    dataset: tiny
    task: label
    prompts: [p]
    models: [app]
    metrics: [label_accuracy]
    rules: [{metric: label_accuracy, at_least: 0.1}]
models:
  app: {kind: python, file: apps/app.py, function: answer}
  server: {kind: openai, model: m, base_url: 'http://127.0.0.1:9/v1'}
  keyed: {kind: openai, model: m, base_url: 'http://127.0.0.1:9/v1', key: NO_SUCH_KEY_VARIABLE}
  weights: {kind: llamacpp, file: models/none.gguf}
generate: {attempts: 1}
"""
EXPECTATIONS = Path(__file__).resolve().parent.parent / "data" / "expectations"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    files = {
        "params.yaml": PARAMS, "prompts/p.yaml": PROMPT, "apps/app.py": APP,
        "data/sets/tiny/card.yaml": CARD, "data/sets/tiny/rows.csv": ROWS,
        **{f"data/expectations/{p.name}": p.read_text(encoding="utf-8") for p in EXPECTATIONS.glob("*.yaml")},
    }  # fmt: skip
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return tmp_path


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit) as stop:
        main(list(words))
    assert stop.value.code == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert "Traceback" not in "\n".join(lines)
    return lines[-1]


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_run_does_the_whole_flow_in_one_process(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["run", "tiny"])
    assert "label_accuracy" in capsys.readouterr().out
    main(["show", "--json"])
    objects = json.loads(capsys.readouterr().out)
    [accuracy] = [each for each in objects if each["metric"] == "label_accuracy"]
    assert (accuracy["value"], accuracy["n"], accuracy["verdict"]) == (1.0, 3, "pass")
    assert not (project / "results").exists()
    main(["run", "tiny", "--limit", "2"])
    assert len((project / "runs" / "tiny" / "responses.jsonl").read_text(encoding="utf-8").splitlines()) == 2


def test_what_there_is_to_mend_is_one_line(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(project / "params.yaml", "generate: {attempts: 1}", "generate: {attempts: 1, budgt_usd: 2}")
    line = refused(capsys, "run", "tiny")
    assert line.startswith("params.yaml: generate: unknown key 'budgt_usd'; keys are [")


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("params.yaml", "task: label", "task: labels", "params.yaml: suites: tiny: task: unknown task 'labels'; tasks are ['announced_choice', 'choice', 'final', 'label', 'likelihood_choice', 'likelihood_label', 'likelihood_letter', 'number', 'ranking', 'text', 'tool_call']"),
        ("params.yaml", "metrics: [label_accuracy]", "metrics: [numeric_match]", "'numeric_match' does not fit task 'label'"),
        ("params.yaml", "attempts: 1", "attempts: many", "params.yaml: generate: attempts: Expected `int`, got `str`"),
        ("params.yaml", "models: [app]", "models: [ap]", "no model 'ap'; models are ['app', 'keyed', 'server', 'weights']"),
        ("params.yaml", "models: [app]", "models: [weights]", "models/none.gguf"),
        ("params.yaml", "models: [app]", "models: [keyed]", "NO_SUCH_KEY_VARIABLE"),
        ("params.yaml", "models: [app]", "models: [server]", "nothing answers at http://127.0.0.1:9/v1"),
        ("params.yaml", "dataset: tiny", "dataset: tny", "no data set 'tny'; data sets are ['tiny']"),
        ("prompts/p.yaml", "question", "qestion", "prompts/p.yaml: no field 'qestion' in the examples; fields are"),
        ("data/sets/tiny/card.yaml", "licence: internal", "license: x", "unknown key 'license'"),
        ("data/sets/tiny/rows.csv", ROWS, "q,a\n", "rows.csv: holds no examples; a data set needs at least one row"),
        ("data/sets/tiny/rows.csv", "money back,refund", '"money back,refund', "rows.csv:3"),
    ],
)  # fmt: skip
def test_bad_input_is_named_where_it_stands(
    project: Path, capsys: pytest.CaptureFixture[str], file: str, old: str, new: str, said: str
) -> None:
    change(project / file, old, new)
    assert said in refused(capsys, "run", "tiny")


def test_a_verb_that_is_not_there_is_refused(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "No such command 'evalute'" in refused(capsys, "evalute")


def test_results_that_are_not_there_are_said_to_be_missing(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refused(capsys, "show") == "show: no estimates; run `dvc repro` or `llmops run SUITE`"


def test_gate_check_has_an_exit_code_for_each_outcome(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for stage in ("fetch", "validate", "generate", "score", "compare"):
        main([stage, *(["tiny"] if stage != "fetch" else [])])
    for bound, code in (("at_least: 0.1", 0), ("at_least: 0.9", 3), ("at_most: 0.1", 1)):
        text = (project / "params.yaml").read_text(encoding="utf-8")
        (project / "params.yaml").write_text(
            text[: text.index("    rules:")]
            + f"    rules: [{{metric: label_accuracy, {bound}}}]\n"
            + text[text.index("models:\n") :],
            encoding="utf-8",
        )
        main(["gate", "tiny"])
        if code == 0:
            main(["gate", "--check"])
        else:
            with pytest.raises(SystemExit) as stop:
                main(["gate", "--check"])
            assert stop.value.code == code


def test_help_costs_little() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import resource, sys; from llmops.cli import cli; cli(['--help'], standalone_mode=False); u = resource.getrusage(resource.RUSAGE_SELF); print(u.ru_utime + u.ru_stime)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "publish" in done.stdout


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with hardly any room."""
    folder = tmp_path / "small"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=400k", "none", str(folder)], capture_output=True
    )
    if done.returncode:
        pytest.skip("a small file system cannot be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_one_line_and_what_was_answered_stays(
    project: Path, small_disk: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    change(project / "apps" / "app.py", "'refund'", "'refund' * 1000")
    rows = "q,a\n" + "".join(f"question {n},refund\n" for n in range(120))
    (project / "data" / "sets" / "tiny" / "rows.csv").write_text(rows, encoding="utf-8")
    monkeypatch.setenv("LLMOPS_STATE", str(small_disk))
    assert "the disk is full" in refused(capsys, "run", "tiny")
    with closing(sqlite3.connect(small_disk / "store.db")) as store:
        [(kept,)] = store.execute("SELECT count(*) FROM answers").fetchall()
    assert 0 < kept < 120


def test_only_some_examples_are_asked(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(project / "data/sets/tiny/card.yaml", "labels:", "slices: {kind: a}\nlabels:")
    change(project / "params.yaml", "task: label", "task: label\n    only: {kind: [refund]}")
    main(["run", "tiny"])
    responses = (project / "runs/tiny/responses.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(responses) == 2
    change(project / "params.yaml", "only: {kind: [refund]}", "only: {kind: [refnd]}")
    assert (
        refused(capsys, "run", "tiny")
        == "params.yaml: suites: tiny: only: no example has {'kind': ['refnd']}; mend it"
    )


def test_examine_says_what_is_odd_in_a_data_set(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "data/sets/tiny/rows.csv").write_text("q,a\nhello,x\nhello,y\n", encoding="utf-8")
    main(["examine", "tiny"])
    told = capsys.readouterr().out
    assert told.startswith("tiny: 2 examples, 0 critical, 2 warnings\n")
    assert "warning: rows.csv:2: column 'text': 'hello' comes more than once" in told
    (project / "data/sets/tiny/expectations.yaml").write_text(
        "- {expect: expect_table_row_count_to_equal, value: 3}\n", encoding="utf-8"
    )
    with pytest.raises(SystemExit) as stop:
        main(["examine", "tiny"])
    assert stop.value.code == 1
