"""What judges said is told where runs are held against each other: in `why`, in MLflow, by `verify`."""

import json
import re
import shutil
from pathlib import Path

import pytest

from llmops import jsonl
from llmops.cli import main
from llmops.records import Ranked, Score
from llmops.tracking.client import tracking_uri
from llmops.tracking.logged import find as logged_run
from llmops.tracking.logged import numbers
from tests.judges.test_recorded_verdicts import said, write_judged
from tests.paid_api import VARIABLE, Asked, PaidApi, Sent, completion, serving
from tests.verbs import exit_code

RED = "\x1b[31m"


def picky(asked: Asked) -> Sent:
    """Answer one question worse through the second prompt, and judge it to be so."""
    if asked.body["model"] != "judge-1":
        worse = "Which team" in asked.text and "질문 1:" in asked.text
        return said("sales") if worse else completion(asked)
    words = " ".join(message["content"] for message in asked.body["messages"])
    if "Which is" in words:
        sides = dict(re.findall(r"<(first|second)-\w+>\n(\w+)\n</", words))
        better = [side for side, shown in sides.items() if shown != "sales"]
        return said(f'{{"verdict": "{better[0] if len(better) == 1 else "tie"}"}}')
    if "Which team" in words and "질문 1:" in words:
        return said(
            f'{{"explanation": "{RED.encode("unicode_escape").decode().replace("x1b", "u001b")}too short", "verdict": "no"}}'
        )
    return said('{"explanation": "so it is", "verdict": "yes"}')


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("judged")
    with pytest.MonkeyPatch.context() as patch, serving(PaidApi(picky)) as api:
        patch.setenv(VARIABLE, "sk-test-1")
        patch.delenv("LLMOPS_STATE", raising=False)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        write_judged(folder, api.url, 8, judges="fits, better")
        patch.chdir(folder)
        main(["run", "tiny"])
    return folder


@pytest.fixture
def project(judged: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(judged)
    monkeypatch.delenv("LLMOPS_STATE", raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return judged


def runs(project: Path) -> dict[str, str]:
    published = json.loads((project / "runs/tiny/published.json").read_bytes())
    return {each["name"].rpartition(" · ")[2]: each["run_id"] for each in published}


@pytest.mark.parametrize("kept", ["a folder", "MLflow"])
def test_a_verdict_that_flipped_is_told_in_the_judges_words(
    project: Path, capsys: pytest.CaptureFixture[str], kept: str
) -> None:
    ids = runs(project)
    names = (
        ["tiny:paid:tiny/v1", "tiny:paid:tiny/v2"] if kept == "a folder" else [ids["tiny/v1"], ids["tiny/v2"]]
    )
    assert exit_code("why", *names) == 0
    told = capsys.readouterr().out
    assert "fits: 1 → 0.875" in told
    assert "judged “yes: so it is” → “no: \\x1b[31mtoo short”" in told


def test_each_run_has_its_place_in_the_ranking_among_its_metrics(project: Path) -> None:
    rows = {row.prompt: row for row in jsonl.read(project / "runs/tiny/ranking.jsonl", Ranked)}
    logged = numbers(f"sqlite:///{project / '.llmops/mlflow.db'}", list(runs(project).values()))
    assert len(logged) == len(rows) == 2
    for run in logged:
        assert run.metrics["better.win_rate"] == rows[run.prompt].win_rate
        assert ("better.strength" in run.metrics) == (rows[run.prompt].strength is not None)


def test_the_loser_of_a_pair_has_lost_in_its_score(project: Path) -> None:
    scores = [s for s in jsonl.read(project / "runs/tiny/judged.jsonl", Score) if s.metric == "better"]
    words = {1.0: "win", 0.5: "tie", 0.0: "loss"}
    assert {0.0, 1.0} <= {score.value for score in scores}
    assert all(score.read == words[score.value] for score in scores if score.value is not None)


def test_a_judged_run_is_verified_whole_and_each_run_by_itself(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code("verify", "tiny") == 0, capsys.readouterr()
    for run_id in runs(project).values():
        assert exit_code("verify", run_id) == 0, capsys.readouterr()


def test_judged_answers_that_are_gone_are_a_difference(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(project, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    path = Path("runs/tiny/responses.jsonl")
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if '"t-1"' not in line), encoding="utf-8")
    assert exit_code("verify", "runs/tiny") == 1
    assert capsys.readouterr().out.startswith("different: ")


def test_what_a_ranking_cannot_tell_is_named_with_its_reason(project: Path) -> None:
    ranking = list(jsonl.read(project / "runs/tiny/ranking.jsonl", Ranked))
    assert any(row.reasons for row in ranking)
    for row in ranking:
        run = logged_run(tracking_uri(project / ".llmops"), runs(project)[row.prompt])
        assert all(f"better: {reason}" in run.tags["not_known"] for reason in row.reasons)
