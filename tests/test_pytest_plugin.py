"""The fixture `llmops_suite` in a project's own tests."""

import subprocess
import sys
from pathlib import Path

import pytest

from llmops import jsonl
from llmops.records import Outcome, Verdict

PARAMS = "suites: {s: {dataset: d, task: label, prompts: [p], models: [m], metrics: [label_accuracy]}}\n"
TEST = "def test_s(llmops_suite):\n    llmops_suite('s').check(inconclusive='fail')\n"


def evaluated(project: Path, outcome: Outcome) -> None:
    """Write a project with a test and the results of one rule."""
    jsonl.write_text(project / "params.yaml", PARAMS)
    jsonl.write_text(project / "tests" / "test_s.py", TEST)
    folder = project / "results" / "s"
    jsonl.write(folder / "estimates.jsonl", [])
    jsonl.write(folder / "verdicts.jsonl", [Verdict("s", "m", "p", "label_accuracy", "r", outcome, "why")])


def run_tests(folder: Path) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "pytest", "-q", "-p", "llmops.pytest_plugin", "-p", "no:cacheprovider"]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("outcome", "code"), [("pass", 0), ("fail", 1), ("inconclusive", 1)])
def test_a_test_of_a_project_fails_as_its_rules_do(tmp_path: Path, outcome: Outcome, code: int) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    evaluated(tmp_path, outcome)
    done = run_tests(tmp_path)
    assert done.returncode == code, done.stdout + done.stderr


def test_a_test_finds_its_project_in_a_folder_of_a_larger_repository(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    evaluated(tmp_path / "evaluation", "pass")
    done = run_tests(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
