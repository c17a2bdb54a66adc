"""The workflow of a new project: each step's script, run as a runner would run it."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from llmops import jsonl
from llmops.cli import main
from llmops.config import read_yaml
from llmops.starting import OWN, STARTER

ROOT = Path(__file__).resolve().parent.parent
NOT_RUN = {"install", "comment"}
"""Steps that need a package index and a pull request."""


def job(name: str) -> dict[str, Any]:
    found: dict[str, Any] = read_yaml(STARTER / "evaluate.yml")["jobs"][name]
    return found


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A new project, with the words `llmops` and `dvc` to call."""
    folder = tmp_path / "project"
    main(["init", str(folder)])
    words = tmp_path / "bin"
    words.mkdir()
    for word in ("llmops", "dvc"):
        script = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m {word} "$@"\n'
        (words / word).write_text(script, encoding="utf-8")
        (words / word).chmod(0o755)
    return folder


def run(folder: Path, script: str) -> int:
    """Return the script's exit code, by the shell that a runner gives a step that names none."""
    path = [str(folder.parent / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("LLMOPS_", "GIT_"))}
    given = {
        "PATH": os.pathsep.join(path), "PYTHONPATH": str(ROOT), "DVC_NO_ANALYTICS": "1",
        "GITHUB_STEP_SUMMARY": str(folder.parent / "summary.md"),
    }  # fmt: skip
    return subprocess.run(["bash", "-e", "-c", script], cwd=folder, env=kept | given, check=False).returncode


def scripts(name: str) -> list[tuple[str, str]]:
    steps = [step for step in job(name)["steps"] if "run" in step]
    return [(step["name"], step["run"]) for step in steps if step["name"] not in NOT_RUN]


@pytest.mark.slow
def test_every_step_of_the_evaluation_runs_in_a_new_project(project: Path) -> None:
    assert [name for name, _ in scripts("evaluate")] == ["evaluate", "report", "gate"]
    assert [(name, run(project, script)) for name, script in scripts("evaluate")] == [
        ("evaluate", 0), ("report", 0), ("gate", 0),
    ]  # fmt: skip
    assert "demo-large" in (project.parent / "summary.md").read_text(encoding="utf-8")


def test_the_gates_exit_code_comes_after_report_comment_and_artifact() -> None:
    assert job("evaluate")["steps"][-1]["run"] == "llmops gate --check"


@pytest.mark.parametrize(
    ("codes", "expected"), [([], 0), ([0], 0), ([0, 3], 3), ([3, 1], 1), ([1, 3], 1), ([2], 2)]
)
def test_the_night_ends_with_the_worst_of_the_sentinels_exit_codes(
    tmp_path: Path, codes: list[int], expected: int
) -> None:
    folder, words = tmp_path / "project", tmp_path / "bin"
    (folder / "data/canaries").mkdir(parents=True)
    words.mkdir()
    for number, code in enumerate(codes):
        (folder / f"data/canaries/{number}.jsonl").write_text(f"{code}\n", encoding="utf-8")
    told = '#!/bin/sh\necho told of $2\nexit "$(cat data/canaries/$2.jsonl)"\n'
    (words / "llmops").write_text(told, encoding="utf-8")
    (words / "llmops").chmod(0o755)
    [(_, script)] = scripts("sentinel")
    assert run(folder, script) == expected
    summary = tmp_path / "summary.md"
    assert (summary.read_text(encoding="utf-8") if codes else "").count("told of") == len(codes)


def cron(home: Path, command: str) -> subprocess.CompletedProcess[str]:
    """Run a line of a crontab as cron does: by sh, with next to no environment."""
    bare = {"HOME": str(home), "PATH": "/usr/bin:/bin", "SHELL": "/bin/sh", "LOGNAME": "ada"}
    return subprocess.run(["/bin/sh", "-c", command], cwd=home, env=bare, capture_output=True, text=True)


@pytest.mark.slow
def test_the_crontab_evaluates_and_watches_a_small_project(project: Path) -> None:
    page = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    evaluate, watch = re.findall(r"^    \d+ \d+ \* \* \*  (.+)$", page, re.MULTILINE)
    here = project.rename(project.parent / "evaluation")
    params = (here / "params.yaml").read_text(encoding="utf-8")
    few = params.replace("    slices:", "    only: {channel: [app_review]}\n    slices:", 1)
    rules = re.compile(r"(    rules:\n)(?:      - .*\n)+")
    jsonl.write_text(here / "params.yaml", rules.sub(r"\1      - {metric: cost_usd, at_most: 1}\n", few))
    words = shlex.quote(f"{here.parent / 'bin'}:{Path(sys.executable).parent}")
    activate = f"export PATH={words}:$PATH PYTHONPATH={shlex.quote(str(ROOT))}\n"
    jsonl.write_text(here / ".venv/bin/activate", activate)
    jsonl.write_text(here / ".env", "export OPENAI_API_KEY=none DVC_NO_ANALYTICS=1\n")
    first = cron(here.parent, evaluate)
    assert (first.returncode, "pass: support: demo-large" in first.stdout) == (0, True), first
    frozen = cron(here.parent, f"{watch} --freeze")
    assert frozen.returncode == 0, frozen
    watched = cron(here.parent, watch)
    assert (watched.returncode, "nothing moved" in watched.stdout) == (0, True), watched
    assert cron(here.parent, evaluate.replace("dvc repro", "false")).returncode == 1


@pytest.mark.slow
def test_the_sentinel_freezes_and_watches_a_new_projects_models(project: Path) -> None:
    assert run(project, "llmops sentinel support --freeze") == 0
    [(_, script)] = scripts("sentinel")
    assert run(project, script) == 0
    assert "nothing moved" in (project.parent / "summary.md").read_text(encoding="utf-8")


def test_actions_are_pinned_by_version_and_no_step_writes_a_secret() -> None:
    for name in ("evaluate", "sentinel"):
        for step in job(name)["steps"]:
            assert "@v" in step.get("uses", "@v")
            assert "secrets." not in step.get("run", "")


def test_the_projects_own_workflow_runs_commands_that_there_are() -> None:
    jobs = read_yaml(ROOT / ".github/workflows/ci.yml")["jobs"]
    steps = [step for name in ("tests", "evaluate") for step in jobs[name]["steps"]]
    assert [s["run"].split()[0] for s in steps if "run" in s] == [
        ".ci/run",
        "make",
        "cat",
        ".venv/bin/llmops",
    ]
    assert os.access(ROOT / ".ci/run", os.X_OK)
    assert "\nrepro:" in (ROOT / "Makefile").read_text(encoding="utf-8")
    assert all("@v" in step.get("uses", "@v") for step in steps)


def test_a_new_project_gets_the_workflow_where_runners_look_for_it() -> None:
    assert OWN["evaluate.yml"] == ".github/workflows/evaluate.yml"
