"""Where the state lies: beside DVC's cache, wherever that is."""

from pathlib import Path

import pytest

from llmops.places import Places, state_folder


@pytest.fixture(autouse=True)
def _no_override(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LLMOPS_STATE", raising=False)


def test_the_state_lies_beside_the_cache(tmp_path: Path) -> None:
    (tmp_path / ".dvc").mkdir()
    assert state_folder(tmp_path) == tmp_path / ".dvc" / "llmops"


def test_a_copy_whose_cache_is_elsewhere_shares_that_state(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    (copy / ".dvc").mkdir(parents=True)
    (copy / ".dvc" / "config.local").write_text(
        f"[cache]\n    dir = {tmp_path / 'main' / '.dvc' / 'cache'}\n", encoding="utf-8"
    )
    assert state_folder(copy) == tmp_path / "main" / ".dvc" / "llmops"


def test_without_dvc_the_state_lies_in_the_project(tmp_path: Path) -> None:
    assert state_folder(tmp_path) == tmp_path / ".llmops"


def test_the_environment_can_move_the_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMOPS_STATE", str(tmp_path / "s"))
    assert state_folder(tmp_path / "x") == tmp_path / "s"


def test_tryouts_leave_the_results_alone(tmp_path: Path) -> None:
    assert Places(tmp_path).suite("s", "a") == tmp_path / "results" / "s" / "a"
    assert Places(tmp_path, "runs").suite("s", "a") == tmp_path / "runs" / "s" / "a"
    assert Places(tmp_path, "runs").raw("d") == tmp_path / "runs" / "raw" / "d"
