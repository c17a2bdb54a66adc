"""The cards of public data, on the data: how many examples, and what is known to be odd in them."""

from pathlib import Path

import pytest

from llmops.cards.card import load_card
from llmops.places import Places
from llmops.stages.fetch import fetch_sets
from llmops.stages.validate import held_examples

pytestmark = pytest.mark.real_data

ROOT = Path(__file__).parents[2]
COUNTS = {
    "agieval": 1355, "alpaca_eval": 805, "arena_hard": 500, "bbh": 6511, "bfcl": 1298, "clinc150": 5500, "gsm8k": 1319, "humaneval": 164,
    "ifeval": 541, "klue_nli": 3000, "klue_sts": 519, "kobbq": 2280, "llmbar": 100, "llmdrift": 1000, "mmlu_pro": 1400, "mt_bench": 80,
    "pandalm": 999, "unieval": 360,
    "truthfulqa": 817,
}  # fmt: skip


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("project")
    (root / "data").mkdir()
    for name in ("sets", "expectations"):
        (root / "data" / name).symlink_to(ROOT / "data" / name)
    return root


def examined(project: Path, name: str):
    places = Places(project, "runs")
    fetch_sets(places, [name])
    return held_examples(places, load_card(project, name))


@pytest.mark.parametrize("name", sorted(COUNTS))
def test_every_public_set_is_whole_and_holds_what_is_critical(mirror, project, name):
    examples, report = examined(project, name)
    assert (len(examples), report.success) == (COUNTS[name], True)


def notes(report) -> dict[str, int]:
    failed = {(f.expectation, str(f.settings), f.column): f.note for f in report.failures}
    found: dict[str, int] = {}
    for entry in report.results:
        settings = {key: value for key, value in entry["settings"].items() if key != "column"}
        note = failed.get((entry["expect"], str(settings), entry["settings"].get("column")))
        if note and entry["failed"]:
            found[note] = entry["failed"]
    return found


def test_what_is_odd_in_big_bench_hard_is_told(mirror, project):
    examples, report = examined(project, "bbh")
    assert len({example.slices["task"] for example in examples}) == 27
    assert notes(report) == {
        "asked twice in one task; in causal_judgement with two different targets": 8,
        "the target is a text where the other targets of the task are letters": 3,
        "cut short, the second option is missing": 1,
        "the task file and the input of the recorded direct run differ": 1,
        "the task file and the input of the recorded chain-of-thought run differ": 1,
    }


def test_a_recording_that_lacks_a_question_is_told(mirror, project):
    places = Places(project, "runs")
    fetch_sets(places, ["mmlu_pro"])
    recording = places.raw("mmlu_pro") / "outputs_gemini-1.5-pro-002.jsonl"
    recording.write_text("".join(recording.read_text().splitlines(keepends=True)[3:]), encoding="utf-8")
    _, report = held_examples(places, load_card(project, "mmlu_pro"))
    assert notes(report)["the recorded file has no answer to this question"] == 3
    assert notes(report)["the text names no answer, the recorded file reads it as G"] > 0
