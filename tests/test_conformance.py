"""Published figures through the ordinary stages, from a copy of the project."""

import shutil
from pathlib import Path

import pytest

from llmops.cli import main
from llmops.conformance import PAGE
from llmops.errors import UserError
from llmops.published import load_published

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("project")
    for name in ("data/sets", "data/expectations", "prompts"):
        shutil.copytree(ROOT / name, root / name)
    for name in ("params.yaml", "data/published.yaml"):
        shutil.copy(ROOT / name, root / name)
    return root


def cells(page: str, *starts: str) -> list[list[str]]:
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines()]
    return [row for row in found if row[: len(starts)] == list(starts)]


@pytest.mark.real_data
def test_every_published_figure_agrees_and_the_page_is_the_one_in_the_docs(mirror, written):
    main(["--root", str(written), "conformance"])
    page = (written / PAGE).read_text(encoding="utf-8")
    assert "24 of 24 agree" in page
    assert "41 of 41 agree to the digits that are printed" in page
    assert cells(page, "bbh", "code-davinci-002-cot", "task=word_sorting")[0][3:5] == ["40.4", "40.4"]
    assert cells(page, "bbh", "code-davinci-002-cot", "task=word_sorting")[1][3:] == [
        "146 of 250",
        "40.4",
        "97.1",
        "–",
    ]
    assert cells(page, "unieval", "UniEval, consistency on QAGS-XSum")[2][2:5] == [
        "kendall",
        "0.399218",
        "0.399218",
    ]
    assert [row[4] for row in cells(page, "llmdrift")] == ["84.0", "51.1"]
    assert [row[3] for row in cells(page, "gsm8k") if row[2] == "right or wrong"] == ["1,319 of 1,319"] * 4
    assert page == (ROOT / PAGE).read_text(encoding="utf-8"), "run `llmops conformance`"


@pytest.mark.real_data
def test_a_figure_that_differs_is_told_and_is_exit_code_1(mirror, written, tmp_path):
    shutil.copytree(written, tmp_path / "p", ignore=shutil.ignore_patterns("runs", "docs"))
    (tmp_path / "p" / "data" / "published.yaml").write_text(
        "figures:\n- {suite: llmdrift, metric: label_accuracy, source: a rumour, percent: {gpt-4-0613: 51.3}}\n"
    )
    with pytest.raises(SystemExit) as stop:
        main(["--root", str(tmp_path / "p"), "conformance"])
    assert stop.value.code == 1
    assert cells((tmp_path / "p" / PAGE).read_text(encoding="utf-8"), "llmdrift")[0][6] == "-0.2"


def test_a_misspelt_key_is_refused(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "published.yaml").write_text("figure: []\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"data/published\.yaml: unknown key 'figure'; keys are"):
        load_published(tmp_path)
