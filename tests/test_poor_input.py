"""A run over data that tells next to nothing: a reason in the place of every number that cannot be known."""

import re
import shutil
from pathlib import Path

import pytest

from llmops import jsonl
from llmops.cli import main
from llmops.labelling import labels_file
from llmops.records import Estimate, Label, Response, Verdict
from tests.explain.conftest import FILES, ROOT

PARAMS = """
suites:
  s:
    dataset: tiny
    task: label
    prompts: [short]
    models: [app, other]
    metrics: [label_accuracy, exact_match]
    judges: [long]
    slices: [language]
    unread: UNREAD
    repeats: 2
    baseline: {model: app, prompt: short}
    rules:
      - {metric: label_accuracy, at_least: 0.5}
      - {metric: label_accuracy, no_worse_by: 0.02}
      - {metric: long, at_least: 0.5}
models:
  app: {kind: python, file: apps/app.py, function: answer}
  other: {kind: python, file: apps/app.py, function: other}
judges:
  long: {kind: python, file: apps/judge.py, function: long}
compare: {resamples: 50}
certify: {kappa: 0.5, n: 2}
publish: {traces: 1}
"""
JUDGE = "def long(example, response):\n    return float(len(response.answer or '') > 3)\n"
ONE_ROW = "q,a,language\nwhere is my parcel,delivery,en\n"
ONE_CLASS = f"{ONE_ROW}my parcel is late,delivery,en\nparcel?,delivery,ko\n"
NO_NUMBER = re.compile(rb"(?<![\w$])[-+]?(nan|infinity|inf)(?!\w)", re.IGNORECASE)
FORMS = {"md": "report.md", "html": "report.html", "junit": "junit.xml", "json": "report.json"}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LLMOPS_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    root = tmp_path / "project"
    for name, text in {**FILES, "apps/judge.py": JUDGE}.items():
        jsonl.write_text(root / name, text)
    shutil.copytree(ROOT / "data" / "expectations", root / "data" / "expectations")
    return root


def run(root: Path, *words: str) -> int:
    try:
        main(["--root", str(root), *words])
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


@pytest.mark.parametrize("unread", ["wrong", "excluded"])
@pytest.mark.parametrize(
    ("rows", "answer"),
    [(ONE_ROW, "delivery"), (ONE_ROW, "no idea"), (ONE_CLASS, "delivery"), (ONE_CLASS, "no idea")],
    ids=["one-row", "one-row-unread", "one-class", "one-class-unread"],
)
def test_no_file_holds_a_number_that_is_none(root: Path, rows: str, answer: str, unread: str) -> None:
    jsonl.write_text(root / "params.yaml", PARAMS.replace("UNREAD", unread))
    jsonl.write_text(root / "data/sets/tiny/rows.csv", rows)
    jsonl.write_text(
        root / "apps/app.py", f"def answer(inputs, messages):\n    return {answer!r}\n\n\nother = answer\n"
    )
    assert run(root, "run", "s") == 0
    asked = {each.example_id for each in jsonl.read(root / "runs/s/responses.jsonl", Response)}
    jsonl.write(labels_file(root, "s"), [Label("s", each, "ann", "1") for each in sorted(asked)])
    assert run(root, "run", "s") == 0
    assert run(root, "certify", "long") == 1
    for form, file in FORMS.items():
        assert run(root, "report", "s", "--format", form, "-o", str(root / file)) == 0
    written = [path for path in root.rglob("*") if path.is_file() and not path.is_relative_to(root / "apps")]
    assert {"estimates.jsonl", "verdicts.jsonl", "long.json", *FORMS.values()} <= {p.name for p in written}
    assert {p.name: found[0] for p in written if (found := NO_NUMBER.search(p.read_bytes()))} == {}
    for estimate in jsonl.read(root / "runs/s/estimates.jsonl", Estimate):
        assert estimate.low is not None or estimate.method == "complete" or estimate.reason, estimate
    assert all(each.reason for each in jsonl.read(root / "runs/s/verdicts.jsonl", Verdict))
