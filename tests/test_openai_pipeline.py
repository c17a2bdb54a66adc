"""An OpenAI-compatible server asked through the whole flow: a real llama.cpp server process on loopback."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmops import jsonl
from llmops.cli import main
from llmops.records import Response

ROOT = Path(__file__).resolve().parent.parent
SERVER = """
import sys, time, xllamacpp
p = xllamacpp.CommonParams()
p.model.path, p.hostnames, p.port, p.verbosity = sys.argv[1], ["127.0.0.1"], 0, -1
p.n_ctx, p.n_parallel = 4 * 512, 4
server = xllamacpp.Server(p)
print(server.listening_address, flush=True)
time.sleep(600)
"""
PARAMS = """
suites:
  gsm8k:
    dataset: gsm8k
    task: number
    prompts: [gsm8k/question]
    models: [server]
    metrics: [numeric_match]
models:
  server: {{kind: openai, model: demo-small, base_url: '{url}/v1', sampling: {{max_tokens: 16}}}}
"""


@pytest.fixture
def server() -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(ROOT / "models" / "demo-small.gguf")],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    yield process.stdout.readline().strip()
    process.kill()
    process.communicate()


@pytest.mark.real_data
def test_1319_questions_are_asked_of_a_server_and_none_twice(
    server: str,
    mirror: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("data/sets", "data/expectations", "prompts"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / "params.yaml").write_text(PARAMS.format(url=server), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LLMOPS_DATA_MIRROR", str(mirror))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)

    main(["run", "gsm8k"])
    responses = list(jsonl.read(tmp_path / "runs" / "gsm8k" / "responses.jsonl", Response))
    assert len(responses) == 1319
    assert {response.error.kind for response in responses if response.error} <= {"context_overflow"}
    assert sum(response.answer is not None for response in responses) > 1250
    assert all(response.cost_usd is None for response in responses)
    first = (tmp_path / "runs" / "gsm8k" / "responses.jsonl").read_bytes()

    capsys.readouterr()
    main(["run", "gsm8k"])
    assert (tmp_path / "runs" / "gsm8k" / "responses.jsonl").read_bytes() == first
    assert "1319 stored" in capsys.readouterr().err


@pytest.mark.real_data
def test_gsm8k_comes_out_as_published(mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cobbe et al. 2021: 6B finetuning 21.7, 6B verification 39.0, 175B finetuning 34.7, 175B verification 56.3 %."""
    for name in ("data", "prompts"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LLMOPS_DATA_MIRROR", str(mirror))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    main(["run", "gsm8k"])
    lines = (
        (tmp_path / "runs" / "gsm8k" / "plots" / "quality.csv").read_text(encoding="utf-8").splitlines()[1:]
    )
    found = {line.split(" ")[0]: round(100 * float(line.split(",")[2]), 1) for line in lines}
    assert found == {
        "gpt3-6b-finetuning": 21.7,
        "gpt3-6b-verification": 39.0,
        "gpt3-175b-finetuning": 34.7,
        "gpt3-175b-verification": 56.3,
    }
