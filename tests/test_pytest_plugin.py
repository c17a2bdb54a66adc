"""The fixture `llmops_suite` in a project's own tests."""

import subprocess
import sys
from pathlib import Path

import pytest

from llmops import jsonl
from llmops.records import Outcome, Verdict

PARAMS = "suites: {s: {dataset: d, task: label, prompts: [p], models: [m], metrics: [label_accuracy]}}\n"
TEST = "def test_s(llmops_suite):\n    llmops_suite('s').check(inconclusive='fail')\n"


@pytest.mark.parametrize(("outcome", "code"), [("pass", 0), ("fail", 1), ("inconclusive", 1)])
def test_a_test_of_a_project_fails_as_its_rules_do(tmp_path: Path, outcome: Outcome, code: int) -> None:
    (tmp_path / "params.yaml").write_text(PARAMS, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (tmp_path / "test_s.py").write_text(TEST, encoding="utf-8")
    folder = tmp_path / "results" / "s"
    jsonl.write(folder / "estimates.jsonl", [])
    jsonl.write(folder / "verdicts.jsonl", [Verdict("s", "m", "p", "label_accuracy", "r", outcome, "why")])
    words = [sys.executable, "-m", "pytest", "-q", "-p", "llmops.pytest_plugin", "-p", "no:cacheprovider"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
