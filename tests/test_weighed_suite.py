"""A suite whose answers are weighed, from its examples to its scores."""

import shutil
from pathlib import Path

import pytest

from llmops import jsonl
from llmops.cli import main
from llmops.records import Response, Score, Spend

ROOT = Path(__file__).resolve().parent.parent
PARAMS = """
suites:
  weighed:
    dataset: support
    task: likelihood_label
    prompts: [support/v1]
    models: [demo-small]
    metrics: [choice_accuracy, choice_accuracy_per_byte]
    only: {channel: [email]}
  refused:
    dataset: support
    task: likelihood_label
    prompts: [support/v1]
    models: [server]
    metrics: [choice_accuracy]
models:
  demo-small: {kind: llamacpp, file: models/demo-small.gguf}
  server: {kind: openai, model: m, base_url: 'http://127.0.0.1:1/v1'}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("data", "prompts", "models"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("raw"))
    (tmp_path / "params.yaml").write_text(PARAMS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LLMOPS_STATE", str(tmp_path / "state"))
    return tmp_path


def stages(suite: str, *verbs: str) -> None:
    for verb in ("fetch", *verbs):
        main([verb, *([suite] if verb != "fetch" else [])])


def test_a_weighed_suite_is_scored_by_sums_and_by_bytes_and_asked_once(project: Path) -> None:
    (project / "params.yaml").write_text("run: [weighed]" + PARAMS, encoding="utf-8")
    stages("weighed", "validate", "generate", "score", "generate")
    folder = project / "results" / "weighed"
    responses = {r.example_id: r for r in jsonl.read(folder / "responses.jsonl", Response)}
    first, second = jsonl.read(project / "state" / "spend.jsonl", Spend)
    assert (first.calls, second.calls, second.hits) == (len(responses), 0, len(responses))
    scores = list(jsonl.read(folder / "scores.jsonl", Score))
    by_sum = [score for score in scores if score.metric == "choice_accuracy"]
    assert {score.example_id: score.read for score in by_sum} == {e: r.answer for e, r in responses.items()}
    assert all(0 < (r.confidence or 0) <= 1 for r in responses.values())
    assert sum(score.value or 0 for score in by_sum) > 0.5 * len(by_sum)
    assert {score.value for score in scores} == {0.0, 1.0}


def test_a_chat_endpoint_is_refused_before_anything_is_asked(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "params.yaml").write_text("run: [refused]" + PARAMS, encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        stages("refused", "validate", "generate")
    assert ended.value.code == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith("params.yaml: suites: refused: models: 'server' is of kind 'openai', which tells")
