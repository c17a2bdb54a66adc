"""The main job, run for real: `dvc repro` on a copy of the project, and what users do with DVC next."""

import json
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from llmops import jsonl
from llmops.records import Estimate, Example, Response, Spend, Verdict

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ("examples.jsonl", "responses.jsonl", "scores.jsonl", "estimates.jsonl", "verdicts.jsonl")


class Project:
    """A project folder under git and DVC, and the commands run in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        paths = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("LLMOPS_", "MLFLOW_", "PYTHONPATH"))},
            "PATH": paths, "GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@example.org",
            "GIT_COMMITTER_NAME": "t", "GIT_COMMITTER_EMAIL": "t@example.org", "DVC_NO_ANALYTICS": "1",
            "MLFLOW_DISABLE_TELEMETRY": "true",
        }  # fmt: skip

    def run(self, *words: str, code: int = 0) -> str:
        done = subprocess.run(
            words, cwd=self.root, env=self.environment, capture_output=True, text=True, timeout=600
        )
        assert done.returncode == code, f"{' '.join(words)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def dvc(self, *words: str) -> str:
        return self.run("dvc", *words)

    def llmops(self, *words: str, code: int = 0) -> str:
        return self.run("python", "-m", "llmops", *words, code=code)

    def commit(self, message: str) -> None:
        self.run("git", "add", "-A")
        self.run("git", "commit", "-qm", message)

    def bytes_of(self, *names: str) -> dict[str, bytes]:
        return {name: (self.root / "results" / "support" / name).read_bytes() for name in names}

    def spends(self) -> list[Spend]:
        return list(jsonl.read(self.root / ".dvc" / "llmops" / "spend.jsonl", Spend))


def copy_of_the_project(goal: Path) -> Project:
    """Copy what git would give someone who clones, with the changes not committed yet."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.splitlines():
        source = ROOT / name
        if source.is_file() and not name.startswith(("tests/", "docs/", "training/")):
            (goal / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, goal / name)
    project = Project(goal)
    project.run("git", "init", "-q", "-b", "main")
    project.commit("start")
    return project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project after its first `dvc repro`."""
    made = copy_of_the_project(tmp_path_factory.mktemp("project"))
    made.dvc("repro")
    made.commit("first run")
    return made


def read(project: Project, name: str, kind: type) -> list:  # type: ignore[type-arg]
    return list(jsonl.read(project.root / "results" / "support" / name, kind))


def test_the_better_model_is_measurably_better_and_the_gate_says_so(project: Project) -> None:
    estimates = {(e.model, e.prompt): e for e in read(project, "estimates.jsonl", Estimate) if e.metric == "label_accuracy" and e.slice == "all"}  # fmt: skip
    large, small = estimates["demo-large", "support/v1"], estimates["demo-small", "support/v1"]
    assert large.n == small.n == len(read(project, "examples.jsonl", Example)) >= 600
    assert large.low > small.high
    assert large.difference_low > 0
    verdicts = {(v.model, v.prompt, v.rule): v.outcome for v in read(project, "verdicts.jsonl", Verdict)}
    assert (
        verdicts["demo-large", "support/v1", "label_accuracy no worse than the baseline by more than 0.02"]
        == "pass"
    )


def test_the_two_prompts_differ_measurably(project: Project) -> None:
    estimates = {(e.model, e.prompt): e for e in read(project, "estimates.jsonl", Estimate) if e.metric == "label_accuracy" and e.slice == "all"}  # fmt: skip
    one, two = estimates["demo-large", "support/v1"], estimates["demo-large", "support/v2"]
    assert one.low > two.high or two.low > one.high


def test_a_response_carries_its_turns_tokens_latency_and_cost(project: Project) -> None:
    for response in read(project, "responses.jsonl", Response):
        assert response.error is None
        assert response.turns[0].reply.usage["completion_tokens"] == response.output_tokens
        assert response.latency_s > 0
        assert response.cost_usd > 0
        assert response.served_model


def test_the_gates_exit_code_is_the_worst_outcome(project: Project) -> None:
    outcomes = {v.outcome for v in read(project, "verdicts.jsonl", Verdict)}
    code = 1 if "fail" in outcomes else 3 if "inconclusive" in outcomes else 0
    assert "demo-large" in project.llmops("gate", "--check", code=code)


def test_show_prints_the_estimates_as_a_table_and_as_json(project: Project) -> None:
    assert "95 % interval" in project.llmops("show", "support")
    objects = json.loads(project.llmops("show", "support", "--json"))
    keys = {"suite", "model", "prompt", "metric", "slice", "value", "low", "high", "n", "missing", "cost_usd"}
    assert all(keys <= each.keys() for each in objects)
    assert {"language=ko", "all"} <= {each["slice"] for each in objects}


def test_every_demo_run_is_verified_until_a_byte_of_an_answer_is_another(
    project: Project, tmp_path: Path
) -> None:
    published = json.loads((project.root / "results" / "support" / "published.json").read_bytes())
    assert len(published) == 4
    for named in ("results/support", *(each["run_id"] for each in published)):
        said = project.llmops("verify", named)
        assert said.startswith("equal: ")
        assert "not verified" not in said
    copied = tmp_path / "support"
    shutil.copytree(project.root / "results" / "support", copied)
    path = copied / "responses.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    place = lines[4].index(b'"answer":"') + len(b'"answer":"')
    lines[4] = lines[4][:place] + b"~" + lines[4][place + 1 :]
    path.write_bytes(b"".join(lines))
    assert "responses.jsonl: demo-small" in project.llmops("verify", str(copied), code=1)


def test_why_tells_the_two_prompts_apart(project: Project) -> None:
    said = project.llmops("why", "results/support::support/v1", "results/support::support/v2")
    assert said.count("prompt changed: support/v1 → support/v2 (1 line differs)") == 2
    assert "unchanged: data, model, prices, code, settings" in said


def test_a_second_repro_runs_nothing_and_says_so(project: Project) -> None:
    assert "up to date" in project.dvc("repro")


def test_asking_again_makes_no_call_and_writes_the_same_bytes(project: Project) -> None:
    before = project.bytes_of(*RESULTS)
    project.dvc("repro", "--force", "--single-item", "generate@support")
    assert project.bytes_of(*RESULTS) == before
    assert [spend.calls for spend in project.spends()[-4:]] == [0, 0, 0, 0]


def test_an_edited_prompt_asks_only_its_own_calls(project: Project) -> None:
    path = project.root / "prompts" / "support" / "v2.yaml"
    before, text = project.bytes_of("responses.jsonl"), path.read_text(encoding="utf-8")
    path.write_text(text.replace("content: ", "content: Please. ", 1), encoding="utf-8")
    project.dvc("repro")
    asked: dict[str, int] = defaultdict(int)
    for spend in project.spends()[-4:]:
        asked[spend.prompt] += spend.calls
    assert asked["support/v1"] == 0
    assert asked["support/v2"] == 2 * len(read(project, "examples.jsonl", Example))
    assert "label_accuracy" in project.dvc("metrics", "diff")
    path.write_text(text, encoding="utf-8")
    project.dvc("repro")
    assert project.bytes_of("responses.jsonl") == before


def test_metrics_params_and_plots_are_shown_by_dvc(project: Project) -> None:
    assert "label_accuracy" in project.dvc("metrics", "show")
    params = project.root / "params.yaml"
    text = params.read_text(encoding="utf-8")
    params.write_text(text.replace("confidence: 0.95", "confidence: 0.9"), encoding="utf-8")
    assert "compare.confidence" in project.dvc("params", "diff")
    params.write_text(text, encoding="utf-8")
    project.dvc("plots", "show", "-o", "plots_page")
    assert "quality" in (project.root / "plots_page" / "index.html").read_text(encoding="utf-8")
    shutil.rmtree(project.root / "plots_page")


@pytest.mark.parametrize("where", [(), ("--temp",)])
def test_an_experiment_changes_a_setting_and_pays_nothing_twice(
    project: Project, where: tuple[str, ...]
) -> None:
    confidence = "0.8" if where else "0.85"
    count = len(project.spends())
    project.dvc("exp", "run", *where, "-S", f"compare.confidence={confidence}", "-n", f"at-{confidence[2:]}")
    assert f"at-{confidence[2:]}" in project.dvc("exp", "show", "--md")
    assert sum(spend.calls for spend in project.spends()[count:]) == 0
    project.run("git", "checkout", "-q", ".")
    project.dvc("checkout")


def test_the_run_cache_restores_everything_in_a_fresh_clone(project: Project, tmp_path: Path) -> None:
    remote = tmp_path / "remote"
    project.dvc("remote", "add", "-d", "-f", "folder", str(remote))
    project.dvc("push", "--run-cache")
    project.commit("remote")
    project.run("git", "clone", "-q", str(project.root), str(tmp_path / "clone"))
    clone = Project(tmp_path / "clone")
    clone.dvc("fetch", "--run-cache")
    clone.dvc("repro", "--pull")
    assert not (clone.root / ".dvc" / "llmops" / "spend.jsonl").exists()
    assert clone.bytes_of(*RESULTS) == project.bytes_of(*RESULTS)
