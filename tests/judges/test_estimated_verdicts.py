"""`llmops estimate` of a suite with judges, beside what judging then takes."""

import json
from pathlib import Path
from typing import Any

import pytest

from llmops import jsonl
from llmops.cli import main
from llmops.records import Spend
from tests.judges.test_recorded_verdicts import answer, said, write_judged
from tests.paid_api import Asked, PaidApi, Sent, serving


def told(capsys: pytest.CaptureFixture[str], *words: str) -> list[Any]:
    capsys.readouterr()
    main(["estimate", "tiny", *words, "--json"])
    return [row for row in json.loads(capsys.readouterr().out) if row["judge"]]


def steady(asked: Asked) -> Sent:
    """Answer each prompt in other words, and judge by no more words than the answers have."""
    if asked.body["model"] != "judge-1":
        return said("delivery" if "Which team" in asked.text else "returns", 2)
    verdict = "first" if "Which is" in asked.body["messages"][0]["content"] else "yes"
    return said(f'{{"explanation": "so it is", "verdict": "{verdict}"}}', len(asked.text))


def spent(folder: Path) -> dict[str, Spend]:
    return {row.judge: row for row in jsonl.read(folder / "state/spend.jsonl", Spend) if row.judge}


def test_what_judges_will_take_is_told_before_an_answer_is_there(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(PaidApi(answer)) as api:
        write_judged(project, api.url, 20)
        rows = told(capsys)
        assert not api.asked
    assert [(row["judge"], row["model"], row["prompt"]) for row in rows] == [
        ("fits", "bot", "judges/fits"), ("better", "bot", "judges/better"), ("strict", "bot", "judges/strict"),
    ]  # fmt: skip
    assert [(row["questions"], row["stored"]) for row in rows] == [(40, 0), (40, 0), (40, 0)]
    assert all(row["cost_usd"]["low"] < row["cost_usd"]["value"] < row["cost_usd"]["high"] for row in rows)


def test_verdicts_that_are_there_are_deducted_and_the_others_foreseen_within_a_tenth(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(PaidApi(steady)) as api:
        write_judged(project, api.url, 120)
        main(["run", "tiny", "--limit", "40"])
        before = {row["judge"]: row for row in told(capsys)}
        main(["run", "tiny"])
        after = spent(project)
        whole = told(capsys)
    for judge, row in before.items():
        took = after[judge]
        assert row["calls"] == took.calls, judge
        assert row["cost_usd"]["value"] == pytest.approx(took.spent_usd, rel=0.1), judge
        assert row["stored"] > 0
    assert [(row["calls"], row["cost_usd"]["value"]) for row in whole] == [(0, 0)] * 3
