"""`llmops verify`: equal on what was kept, different after any byte of an answer is another."""

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from llmops.places import state_folder
from llmops.tracking.client import connect, tracking_uri
from tests.explain.conftest import FILES, ROOT

Llmops = Callable[..., tuple[int, str]]
FOLDER = "runs/tiny"


def run_ids(project: Path) -> list[str]:
    return [each["run_id"] for each in json.loads((project / FOLDER / "published.json").read_bytes())]


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize("named", ["tiny", FOLDER, "tiny:app", "tiny:other:long", "tiny · app · long"])
def test_what_was_kept_comes_out_anew(project: Path, llmops: Llmops, named: str) -> None:
    code, said = llmops("verify", named)
    assert (code, said.startswith("equal: ")) == (0, True), said
    assert "not verified" not in said


def test_every_run_in_mlflow_is_verified_from_its_files_alone(project: Path, llmops: Llmops) -> None:
    for kept in (FOLDER, "params.yaml", "data", "prompts", "apps"):
        path = project / kept
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for name in run_ids_of_store(project):
        code, said = llmops("verify", name[:10])
        assert (code, said.startswith(f"equal: MLflow run {name[:12]}")) == (0, True), said
        assert "4 responses" in said
        assert "not verified" not in said


def run_ids_of_store(project: Path) -> list[str]:
    client = connect(tracking_uri(state_folder(project)))
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    found = [run.info.run_id for run in client.search_runs(experiments)]
    assert len(found) == 4
    return found


def test_a_changed_read_names_file_example_metric_and_both_values(project: Path, llmops: Llmops) -> None:
    change(project / FOLDER / "responses.jsonl", "I would say: delivery.", "I would say: delivory.")
    code, said = llmops("verify", FOLDER)
    assert code == 1
    assert "scores.jsonl: app · short: tiny-0001: label_accuracy: value 1.0 → None" in said
    assert "estimates.jsonl: app · short: label_accuracy: value 0.75 → 0.5" in said
    assert "MLflow: app · short: label_accuracy: 0.75 → 0.5" in said
    change(project / FOLDER / "responses.jsonl", "a refund, surely", "sorry")
    assert "… and " in (said := llmops("verify", FOLDER)[1])
    assert len(said.splitlines()) <= 25


@pytest.fixture
def judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, llmops: Llmops) -> Path:
    """The small project with a judge of its own, after `llmops run`."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    shutil.copytree(ROOT / "data" / "expectations", tmp_path / "data" / "expectations")
    judge = "judges:\n  sure: {kind: python, file: apps/sure.py, function: sure}\nmodels:\n"
    change(tmp_path / "params.yaml", "    slices:", "    judges: [sure]\n    slices:")
    change(tmp_path / "params.yaml", "models:\n  app", f"{judge}  app")
    source = "def sure(example, response):\n    return 'surely' in response.answer\n"
    (tmp_path / "apps/sure.py").write_text(source, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("LLMOPS_STATE", raising=False)
    assert llmops("run", "tiny")[0] == 0
    return tmp_path


def test_judged_scores_come_out_of_the_judgements_anew_and_a_changed_one_shows(
    judged: Path, llmops: Llmops
) -> None:
    code, said = llmops("verify", FOLDER)
    assert (code, "not verified" in said) == (0, False), said
    for name in run_ids_of_store(judged):
        code, said = llmops("verify", name[:10])
        assert (code, "not verified" in said) == (0, False), said
    change(judged / FOLDER / "judgements.jsonl", '"value":1.0', '"value":0.0')
    code, said = llmops("verify", FOLDER)
    assert code == 1
    assert ": sure: value 1.0 → 0.0" in said
    assert "estimates.jsonl: app · " in said


def test_a_byte_that_changes_no_score_is_found_as_well(project: Path, llmops: Llmops) -> None:
    change(project / FOLDER / "responses.jsonl", "I would say: delivery.", "I could say: delivery.")
    code, said = llmops("verify", FOLDER)
    assert (code, len(said.splitlines())) == (1, 2)
    assert "responses.jsonl: app · short: is not what was published: sha256 " in said


def test_a_changed_byte_among_mlflows_files_is_found(
    published: Path, tmp_path: Path, llmops: Llmops, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    [path] = [
        path
        for path in state_folder(published).rglob("responses.jsonl")
        if run_ids(published)[0] in path.as_posix()
    ]
    before = path.read_bytes()
    try:
        change(path, "surely", "surelY")
        code, said = llmops("--root", str(published), "verify", run_ids(published)[0])
    finally:
        path.write_bytes(before)
    assert code == 1
    assert "is not what was published" in said


def test_any_byte_of_an_answer_makes_a_difference(project: Path, llmops: Llmops) -> None:
    path = project / FOLDER / "responses.jsonl"
    (project / FOLDER / "published.json").unlink()
    before, chance = path.read_bytes(), random.Random(0)
    for _ in range(60):
        place, new = chance.randrange(len(before)), chance.choice(b'x7"{\x1b\xff -e')
        if before[place] != new and before[place : place + 1] != b"\n":
            path.write_bytes(before[:place] + bytes([new]) + before[place + 1 :])
            code, said = llmops("verify", FOLDER)
            assert (code, said.startswith("different: ")) == (1, True), (place, chr(new), said)
            assert "\x1b" not in said


def test_an_example_or_a_stored_number_that_was_changed_is_found(project: Path, llmops: Llmops) -> None:
    change(project / FOLDER / "examples.jsonl", "how are you", "how are yov")
    assert "examples.jsonl: app · short: is not what was published" in llmops("verify", FOLDER)[1]
    client = connect(tracking_uri(state_folder(project)))
    client.log_metric(run_ids(project)[0], "label_accuracy", 0.9)
    code, said = llmops("verify", run_ids(project)[0])
    assert (code, said.splitlines()[1].strip()) == (1, "MLflow: app · short: label_accuracy: 0.9 → 0.75")


def test_an_edited_setting_is_named_beside_what_it_changed(project: Path, llmops: Llmops) -> None:
    change(project / "params.yaml", "resamples: 50", "resamples: 51")
    code, said = llmops("verify", FOLDER)
    assert code == 1
    assert "macro_f1" in said
    assert "note: sha256.params is another now than when it was published" in said


def test_what_cannot_be_verified_is_said(project: Path, llmops: Llmops) -> None:
    for file in ("manifest.json", "published.json"):
        (project / FOLDER / file).unlink()
    code, said = llmops("verify", FOLDER)
    assert code == 0
    assert [line for line in said.splitlines() if line.startswith("not verified: ")] == [
        "not verified: whether the answers are those that were given: there is no manifest.json; publish it",
        "not verified: the numbers in MLflow: nothing says that it was published",
    ]


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("tyni", "tyni: is no run's id or name, no folder of results, no suite that has any; suites are ['tiny']"),
        ("tiny:nobody", "has no run nobody:; runs are ['app:long', 'app:short', 'other:long', 'other:short']"),
        ("ffff", "ffff: is no run's id or name"),
    ],
)  # fmt: skip
def test_a_run_that_is_not_there_is_one_line(project: Path, llmops: Llmops, named: str, said: str) -> None:
    code, line = llmops("verify", named)
    assert code == 2
    assert said in line
    assert len(line.splitlines()) == 1


def test_a_missing_file_is_named(project: Path, llmops: Llmops) -> None:
    (project / FOLDER / "scores.jsonl").unlink()
    code, line = llmops("verify", FOLDER)
    assert (code, "scores.jsonl: no such file" in line) == (2, True)


def test_estimates_from_before_there_were_signatures_are_verified(project: Path, llmops: Llmops) -> None:
    path = project / FOLDER / "estimates.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    lines = [json.dumps({k: v for k, v in row.items() if k != "signature"}) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    code, said = llmops("verify", FOLDER)
    assert code == 0, said
