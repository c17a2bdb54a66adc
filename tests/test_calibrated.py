"""The compare stage on responses that carry a confidence."""

import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace
from sklearn.metrics import brier_score_loss, roc_auc_score

from llmops import jsonl
from llmops.calibrated import CALIBRATION
from llmops.places import Places
from llmops.records import Estimate, Example, Response, Score
from llmops.stages import compare

PARAMS = """
suites:
  s: {dataset: d, task: text, prompts: [p], models: [m], metrics: [METRIC], repeats: 2}
compare: {resamples: 200}
"""
CARD = "name: d\nlicence: internal\nfiles: [{path: rows.csv}]\nfields: {inputs: {q: q}}\n"
EXPECTATIONS = Path(__file__).parent.parent / "data" / "expectations"
SURE = [0.9, 0.8, 0.75, 0.6, 0.55, 0.5, 0.3, None]
RIGHT = [1.0, 1.0, 0.0, 1.0, 1.0, 0.0, None, 1.0]


def compared(
    root: Path, metric: str = "exact_match", values: list[float | None] = RIGHT
) -> dict[str, Estimate]:
    (root / "params.yaml").write_text(PARAMS.replace("METRIC", metric), encoding="utf-8")
    shutil.copytree(EXPECTATIONS, root / "data" / "expectations", dirs_exist_ok=True)
    jsonl.write_text(root / "data" / "sets" / "d" / "card.yaml", CARD)
    places, ids = Places(root), [(str(i // 2), i % 2) for i in range(len(SURE))]
    jsonl.write(places.suite("s", "examples.jsonl"), [Example(i, {}, target="a") for i in dict(ids)])
    responses = [
        Response("s", i, "m", "p", repeat=r, answer="a", confidence=sure)
        for (i, r), sure in zip(ids, SURE, strict=True)
    ]
    jsonl.write(places.suite("s", "responses.jsonl"), responses)
    scores = [
        Score("s", i, "m", "p", metric, repeat=r, value=v, missing=None if v is not None else "unread")
        for (i, r), v in zip(ids, values, strict=True)
    ]
    jsonl.write(places.suite("s", "scores.jsonl"), scores)
    compare.main(places, "s")
    return {e.metric: e for e in jsonl.read(places.suite("s", "estimates.jsonl"), Estimate)}


def test_confidences_are_held_against_the_first_metric(tmp_path: Path) -> None:
    found = compared(tmp_path)
    right = [
        v or 0.0 for v in RIGHT[:7]
    ]  # the unread one counts as wrong, the one without a confidence not at all
    assert found["brier"].value == pytest.approx(brier_score_loss(right, SURE[:7]), abs=1e-9)
    assert found["auroc"].value == pytest.approx(roc_auc_score(right, SURE[:7]), abs=1e-9)
    assert {found[name].n for name in CALIBRATION} == {7}
    assert {found[name].missing for name in CALIBRATION} == {1}
    assert [found[name].higher_is_better for name in CALIBRATION] == [False, False, False, True]
    assert found["brier"].low < found["brier"].value < found["brier"].high


def test_an_estimate_of_calibration_says_what_it_rests_on(tmp_path: Path) -> None:
    signature = compared(tmp_path)["ece"].signature
    assert signature.startswith(
        "ece|of:exact_match|v:1|read:text|unread:wrong|n:7|ci:basic clustered bootstrap 0.95"
    )


@pytest.mark.parametrize(("metric", "values"), [("token_f1", [0.5] * 8), ("refusal", [1.0] * 8)])
def test_what_is_no_right_or_wrong_has_no_calibration(
    tmp_path: Path, metric: str, values: list[float | None]
) -> None:
    assert not set(CALIBRATION) & compared(tmp_path, metric, values).keys()


def test_responses_without_confidences_have_no_calibration(tmp_path: Path) -> None:
    compared(tmp_path)
    places = Places(tmp_path)
    path = places.suite("s", "responses.jsonl")
    jsonl.write(path, [replace(r, confidence=None) for r in list(jsonl.read(path, Response))])
    compare.main(places, "s")
    found = {e.metric for e in jsonl.read(places.suite("s", "estimates.jsonl"), Estimate)}
    assert not set(CALIBRATION) & found
