"""No file that a data set, a prompt or a model names is read from outside of the project."""

from pathlib import Path

import pytest

from llmops.cards.card import load_card
from llmops.cards.source import fetch
from llmops.errors import UserError
from llmops.models.catalog import open_model, parse_spec
from llmops.models.files import model_folder
from llmops.places import Places, project_file

LEADS_OUT = "leads out of the"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with one data set, and beside it a file that is not its own."""
    (tmp_path / "secret.jsonl").write_text('{"id": "1"}\n', encoding="utf-8")
    root = tmp_path / "project"
    (root / "data/sets/talk").mkdir(parents=True)
    return root


def card(root: Path, path: str) -> None:
    (root / "data/sets/talk/card.yaml").write_text(
        f"name: talk\nlicence: internal\nfiles: [{{path: '{path}'}}]\nfields: {{inputs: [id]}}\n",
        encoding="utf-8",
    )


def fetched(root: Path) -> list[Path]:
    into, downloads = root / "data/raw/talk", root / "downloads"
    return fetch(load_card(root, "talk"), root, into, downloads, None, lambda line: None)


@pytest.mark.parametrize("path", ["../../../../secret.jsonl", "/etc/hostname", "a/../../x.jsonl"])
def test_a_data_set_names_no_path_that_leads_out(root: Path, path: str) -> None:
    card(root, path)
    with pytest.raises(UserError, match=LEADS_OUT):
        fetched(root)


def test_a_data_sets_link_that_leads_out_is_not_followed(root: Path, tmp_path: Path) -> None:
    card(root, "rows.jsonl")
    (root / "data/sets/talk/rows.jsonl").symlink_to(tmp_path / "secret.jsonl")
    with pytest.raises(UserError, match=LEADS_OUT):
        fetched(root)
    assert not (root / "data/raw/talk/rows.jsonl").exists()


def test_a_data_sets_folder_that_is_a_link_leads_out_too(root: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/rows.jsonl").write_text("{}\n", encoding="utf-8")
    card(root, "sub/rows.jsonl")
    (root / "data/sets/talk/sub").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match=LEADS_OUT):
        fetched(root)


def test_a_link_inside_of_the_project_is_followed(root: Path) -> None:
    card(root, "rows.jsonl")
    (root / "data/kept.jsonl").write_text('{"id": "1"}\n', encoding="utf-8")
    (root / "data/sets/talk/rows.jsonl").symlink_to(root / "data/kept.jsonl")
    assert fetched(root)[0].read_text(encoding="utf-8") == '{"id": "1"}\n'


def test_a_link_into_dvcs_cache_is_followed_wherever_the_cache_lies(root: Path, tmp_path: Path) -> None:
    (root / ".dvc").mkdir()
    (root / ".dvc/config").write_text(f"[cache]\n    dir = {tmp_path / 'cache'}\n", encoding="utf-8")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache/ab12").write_text("kept", encoding="utf-8")
    (root / "rows.jsonl").symlink_to(tmp_path / "cache/ab12")
    assert project_file(root, "rows.jsonl", "x").read_text(encoding="utf-8") == "kept"


@pytest.mark.parametrize("file", ["../secret.jsonl", "models/../../secret.jsonl", "../*.jsonl"])
@pytest.mark.parametrize(
    "spec",
    [
        {"kind": "llamacpp"},
        {"kind": "python", "function": "f"},
        {"kind": "recorded", "answer": "id"},
    ],
    ids=lambda spec: spec["kind"],
)
def test_a_model_names_no_path_that_leads_out(root: Path, spec: dict[str, str], file: str) -> None:
    (root / "models").mkdir()
    with pytest.raises(UserError, match=rf"models\.bot: file: .*{LEADS_OUT}"):
        open_model("bot", parse_spec("bot", {**spec, "file": file}), Places(root))


@pytest.mark.parametrize("dataset", ["../../..", "..", ".", "", "talk/../../../..", "talk/sub", "/etc"])
def test_a_recorded_models_data_set_is_a_name_and_no_path(root: Path, tmp_path: Path, dataset: str) -> None:
    (root / "data/raw/talk/sub").mkdir(parents=True)
    for folder in (tmp_path, root / "data", root / "data/raw", root / "data/raw/talk/sub"):
        (folder / "secret.jsonl").write_text('{"id": "1", "answer": "x"}\n', encoding="utf-8")
    spec = {"kind": "recorded", "file": "secret.jsonl", "answer": "answer", "dataset": dataset}
    with pytest.raises(UserError, match=r"models\.bot: dataset: .* is no name of a data set"):
        open_model("bot", parse_spec("bot", spec), Places(root))


@pytest.mark.parametrize("file", ["rows.jsonl", "*.jsonl"])
@pytest.mark.parametrize("dataset", ["talk", None])
def test_a_recorded_models_link_that_leads_out_is_not_followed(
    root: Path, tmp_path: Path, dataset: str | None, file: str
) -> None:
    below = root if dataset is None else root / "data/raw" / dataset
    below.mkdir(parents=True, exist_ok=True)
    (below / "rows.jsonl").symlink_to(tmp_path / "secret.jsonl")
    spec = {"kind": "recorded", "file": file, "answer": "id", "dataset": dataset}
    with pytest.raises(UserError, match=rf"models\.bot: file: .*{LEADS_OUT}"):
        open_model("bot", parse_spec("bot", spec), Places(root))


@pytest.mark.parametrize("model", ["../elsewhere", "models/../../elsewhere", "/elsewhere"])
def test_a_folder_of_weights_is_named_below_the_project_though_a_link_there_may_lead_out(
    root: Path, tmp_path: Path, model: str
) -> None:
    (tmp_path / "elsewhere").mkdir()
    with pytest.raises(UserError, match=rf"models\.bot: model: .*{LEADS_OUT}"):
        open_model("bot", parse_spec("bot", {"kind": "transformers", "model": model}), Places(root))
    (root / "linked").symlink_to(tmp_path / "elsewhere")
    assert model_folder("bot", root, "linked").is_dir()
