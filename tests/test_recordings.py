"""A run of a paid API is recorded, and comes out again byte for byte without key, server or network."""

import gzip
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from llmops.cli import main
from tests.paid_api import ROOT, VARIABLE, Asked, PaidApi, Sent, completion, serving, write_project
from tests.verbs import exit_code

RESPONSES = "runs/tiny/responses.jsonl"


def sometimes_at_fault(asked: Asked) -> Sent:
    """Filter one question, break one, and cut one off, besides the answers."""
    if "질문 3:" in asked.text:
        return Sent(400, {"error": {"code": "content_filter", "message": "not this"}})
    if "질문 4:" in asked.text:
        return Sent(400, {"error": {"message": "no, thanks"}})
    if "질문 5:" in asked.text:
        return Sent(500, {"error": {"message": "out of order"}})
    return completion(asked)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose run was recorded plain and compressed; its server is gone."""
    folder = tmp_path_factory.mktemp("recorded")
    with pytest.MonkeyPatch.context() as patch, serving(PaidApi(sometimes_at_fault)) as api:
        patch.setenv(VARIABLE, "sk-test-1")
        patch.setenv("LLMOPS_STATE", str(folder / "state"))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        write_project(folder, api.url, 24)
        patch.chdir(folder)
        main(["run", "tiny"])
        assert len(api.asked) == 2 * 24 + 2  # the broken one is tried twice
        for name in ("tiny.jsonl", "tiny.jsonl.gz", "again.jsonl.gz"):
            main(["record", "tiny", "-o", f"models/{name}"])
    return folder


@pytest.fixture
def colleague(recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Another's copy of the project: no key, no server, no store."""
    for name in ("data", "apps", "models", "baselines", "certificates", "prompts", "params.yaml"):
        source = recorded / name
        (shutil.copytree if source.is_dir() else shutil.copyfile)(source, tmp_path / name)
    shutil.rmtree(tmp_path / "data" / "raw", ignore_errors=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("LLMOPS_STATE", str(tmp_path / "state"))
    return tmp_path


@pytest.mark.parametrize("name", ["tiny.jsonl", "tiny.jsonl.gz"])
def test_a_recorded_run_comes_out_again_byte_for_byte(
    name: str, recorded: Path, colleague: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code("replay", f"models/{name}") == 0
    assert "is byte for byte that of the recorded run" in capsys.readouterr().out
    for file in ("responses.jsonl", "scores.jsonl", "estimates.jsonl"):
        assert (colleague / "runs/tiny" / file).read_bytes() == (recorded / "runs/tiny" / file).read_bytes()


def test_the_same_run_is_recorded_in_the_same_bytes(recorded: Path) -> None:
    one, other = (recorded / "models" / name for name in ("tiny.jsonl.gz", "again.jsonl.gz"))
    assert one.read_bytes() == other.read_bytes()
    assert gzip.decompress(one.read_bytes()) == (recorded / "models/tiny.jsonl").read_bytes()


def test_a_recording_is_text_that_says_what_was_asked_of_whom(recorded: Path) -> None:
    header, *entries = map(
        json.loads, (recorded / "models/tiny.jsonl").read_text(encoding="utf-8").splitlines()
    )
    assert (header["suite"], header["examples"], header["models"]["paid"]["model"]) == ("tiny", 24, "paid-1")
    assert len(entries) == 48
    assert entries[0]["request"]["messages"][-1]["content"].startswith("질문 0: ")
    assert entries[0]["reply"]["text"] == "delivery"


def test_a_request_that_is_not_recorded_is_named_and_not_asked(
    colleague: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = colleague / "data/sets/tiny/eval.jsonl"
    rows.write_text(rows.read_text(encoding="utf-8").replace("질문 7:", "물음 7:"), encoding="utf-8")
    assert exit_code("replay", "models/tiny.jsonl") == 2
    told = capsys.readouterr().err
    assert "holds no reply of model 'paid' to example 't-7'" in told
    assert "물음 7: returns, please" in told
    assert not (colleague / RESPONSES).exists()


def test_changed_sampling_is_not_answered_from_a_recording(
    colleague: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    params = colleague / "params.yaml"
    params.write_text(
        params.read_text(encoding="utf-8").replace("max_tokens: 8", "max_tokens: 9"), encoding="utf-8"
    )
    assert exit_code("replay", "models/tiny.jsonl.gz") == 2
    assert "holds no reply of model 'paid'" in capsys.readouterr().err


def test_a_changed_request_or_a_cut_file_is_refused(
    colleague: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain, packed = colleague / "models/tiny.jsonl", colleague / "models/tiny.jsonl.gz"
    plain.write_text(plain.read_text(encoding="utf-8").replace("질문 9:", "질문 90:", 1), encoding="utf-8")
    packed.write_bytes(packed.read_bytes()[:-40])
    assert exit_code("replay", "models/tiny.jsonl") == 2
    assert "the request was changed, its key is another" in capsys.readouterr().err
    assert exit_code("replay", "models/tiny.jsonl.gz") == 2
    assert "models/tiny.jsonl.gz" in capsys.readouterr().err
    assert exit_code("replay", "models/none.jsonl") == 2
    assert "no such file; `dvc pull` it" in capsys.readouterr().err


def test_settings_edited_since_the_run_are_not_recorded_as_those_of_the_run(
    recorded: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(recorded)
    monkeypatch.setenv("LLMOPS_STATE", str(recorded / "state"))
    params = recorded / "params.yaml"
    before = params.read_text(encoding="utf-8")
    params.write_text(before.replace("max_tokens: 8", "max_tokens: 9"), encoding="utf-8")
    try:
        assert exit_code("record", "tiny", "-o", "models/wrong.jsonl") == 2
    finally:
        params.write_text(before, encoding="utf-8")
    assert "the response store holds no such answer under today's settings" in capsys.readouterr().err
    assert not (recorded / "models/wrong.jsonl").exists()


def test_a_run_that_was_cut_by_its_budget_is_replayed_with_its_faults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(VARIABLE, "sk-test-2")
    monkeypatch.setenv("LLMOPS_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    with serving(PaidApi()) as api:
        write_project(tmp_path, api.url, 30)
        params = tmp_path / "params.yaml"
        text = params.read_text(encoding="utf-8").replace("attempts: 2", "attempts: 2, budget_usd: 0.0006")
        params.write_text(text, encoding="utf-8")
        main(["run", "tiny", "--limit", "20"])
    before = (tmp_path / RESPONSES).read_bytes()
    assert 0 < before.count(b'"kind":"budget"') < 40
    main(["record", "tiny", "-o", "models/tiny.jsonl"])
    monkeypatch.delenv(VARIABLE)
    assert exit_code("replay", "models/tiny.jsonl") == 0
    assert (tmp_path / RESPONSES).read_bytes() == before
    assert "equal: " in capsys.readouterr().out


def converse(folder: Path, text: str = "질문 {n}: hello?") -> None:
    """Have the project's suite ask two turns of each example."""
    conversation = "description: two\nmessages: []\nconversation: turns\n"
    (folder / "prompts/tiny/v1.yaml").write_text(conversation, encoding="utf-8")
    card = folder / "data/sets/tiny/card.yaml"
    card.write_text(card.read_text(encoding="utf-8").replace("[message]", "[turns]"), encoding="utf-8")
    file = folder / "data/sets/tiny/eval.jsonl"
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    lines = [
        {**row, "turns": [text.format(n=n), f"{row['label']}, please"], "message": None}
        for n, row in enumerate(rows)
    ]
    file.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    params = folder / "params.yaml"
    said = params.read_text(encoding="utf-8").replace("[tiny/v1, tiny/v2]", "[tiny/v1]")
    params.write_text(said, encoding="utf-8")


def conversing(folder: Path, monkeypatch: pytest.MonkeyPatch, settings: str) -> None:
    """Run a project of ten conversations of two turns, with these settings of `generate`."""
    monkeypatch.setenv(VARIABLE, "sk-test-3")
    monkeypatch.setenv("LLMOPS_STATE", str(folder / "state"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(folder)
    with serving(PaidApi()) as api:
        write_project(folder, api.url, 10)
        converse(folder)
        params = folder / "params.yaml"
        text = params.read_text(encoding="utf-8").replace("attempts: 2", settings)
        params.write_text(text, encoding="utf-8")
        main(["run", "tiny"])


def test_a_conversation_that_the_budget_cut_in_its_midst_is_replayed_to_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    conversing(tmp_path, monkeypatch, "attempts: 2, budget_calls: 11")
    before = (tmp_path / RESPONSES).read_bytes()
    cut = [json.loads(line) for line in before.splitlines() if b'"kind":"budget"' in line]
    assert {bool(row["turns"]) for row in cut} == {True, False}
    main(["record", "tiny", "-o", "models/tiny.jsonl"])
    monkeypatch.delenv(VARIABLE)
    assert exit_code("replay", "models/tiny.jsonl") == 0
    assert (tmp_path / RESPONSES).read_bytes() == before
    assert "equal: " in capsys.readouterr().out


@pytest.mark.parametrize("turns", [1, 3])
def test_a_conversation_that_has_another_number_of_turns_since_the_run_is_not_recorded(
    turns: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    conversing(tmp_path, monkeypatch, "attempts: 2")
    file = tmp_path / "runs/tiny/examples.jsonl"
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    for row in rows:
        row["inputs"]["turns"] = [*row["inputs"]["turns"], "Really?"][:turns]
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    assert exit_code("record", "tiny", "-o", "models/tiny.jsonl") == 2
    assert "it has another number of turns now" in capsys.readouterr().err


def test_a_sequential_run_is_replayed_until_the_same_rules_are_decided(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(VARIABLE, "sk-test-4")
    monkeypatch.setenv("LLMOPS_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    with serving(PaidApi()) as api:
        write_project(tmp_path, api.url, 120)
        main(["run", "tiny", "--sequential", "--limit", "100"])
        asked = len(api.asked)
    before = (tmp_path / RESPONSES).read_bytes()
    assert before.count(b'"kind":"decided"') == 200 - asked > 0
    main(["record", "tiny", "-o", "models/tiny.jsonl"])
    lines = (tmp_path / "models/tiny.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1 + asked
    monkeypatch.delenv(VARIABLE)
    assert exit_code("replay", "models/tiny.jsonl") == 0
    assert (tmp_path / RESPONSES).read_bytes() == before
    assert "equal: " in capsys.readouterr().out


def test_a_recording_outside_of_models_would_not_be_seen_by_dvc_and_is_refused(
    colleague: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    params = colleague / "params.yaml"
    text = params.read_text(encoding="utf-8").replace(
        "    task: label", "    recording: data/tiny.jsonl\n    task: label"
    )
    params.write_text(text, encoding="utf-8")
    assert exit_code("run", "tiny") == 2
    assert "recording: 'data/tiny.jsonl' lies where no edit would be seen" in capsys.readouterr().err


@pytest.mark.slow
def test_dvc_reproduces_a_suite_from_its_recording(recorded: Path, colleague: Path) -> None:
    """What a colleague does: clone, `dvc pull`, `dvc repro`, with neither key nor server."""

    def do(*words: str, cwd: Path = colleague) -> str:
        done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    params = colleague / "params.yaml"
    text = params.read_text(encoding="utf-8")
    text = text.replace("    task: label", "    recording: models/tiny.jsonl.gz\n    task: label")
    params.write_text(text + "compare: {}\njudges: {}\njudge: {}\ncertify: {}\n", encoding="utf-8")
    shutil.copyfile(ROOT / "dvc.yaml", colleague / "dvc.yaml")
    shutil.copytree(ROOT / "llmops", colleague / "llmops", ignore=shutil.ignore_patterns("__pycache__"))
    (colleague / "data" / "labels").mkdir()
    for name in ("apps", "models", "baselines", "certificates"):
        (colleague / name / "README.md").touch()
    shutil.rmtree(colleague / "data" / "raw", ignore_errors=True)
    for name in ("tiny.jsonl", "again.jsonl.gz"):
        (colleague / "models" / name).unlink()
    dvc = (sys.executable, "-m", "dvc")
    do("git", "init", "-q")
    do(*dvc, "init", "-q")
    do(*dvc, "add", "models/tiny.jsonl.gz")
    do(*dvc, "repro", "-q")
    assert (colleague / "results/tiny/responses.jsonl").read_bytes() == (recorded / RESPONSES).read_bytes()
    assert "didn't change" in do(*dvc, "repro")
