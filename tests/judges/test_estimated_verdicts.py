"""`llmops estimate` of a suite with judges, beside what judging then takes."""

import json
from pathlib import Path
from typing import Any

import pytest

from llmops import jsonl
from llmops.cli import main
from llmops.records import Judgement, Spend
from tests.judges.test_recorded_verdicts import answer, said, write_judged
from tests.paid_api import Asked, PaidApi, Sent, serving
from tests.test_recordings import converse


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


SAME_QUESTION = """
messages:
  - {role: system, content: Which team?}
  - {role: user, content: "{{ message }}"}
"""


def agreeing(asked: Asked) -> Sent:
    """Answer two of three messages alike through both prompts, and judge in a few words."""
    if asked.body["model"] == "judge-1":
        return said('{"verdict": "yes"}', 5)
    number = int(asked.text.partition("질문 ")[2].partition(":")[0])
    return said(
        "returns" if number % 3 == 0 and asked.body["messages"][0]["role"] == "system" else "delivery", 2
    )


def rambling(asked: Asked) -> Sent:
    """Give a verdict only when asked for it once more."""
    if asked.body["model"] == "judge-1" and "No verdict" not in asked.text:
        return said("Well, that depends.")
    return steady(asked)


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


def test_a_verdict_that_several_runs_share_is_foreseen_as_often_as_they_agreed(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(PaidApi(agreeing)) as api:
        write_judged(project, api.url, 240, judges="fits")
        (project / "prompts/tiny/v2.yaml").write_text(SAME_QUESTION, encoding="utf-8")
        [cold] = told(capsys)
        main(["run", "tiny", "--limit", "60"])
        [row] = told(capsys)
        main(["run", "tiny"])
    took = spent(project)["fits"]
    assert cold["calls"] == 480
    assert row["calls"] == pytest.approx(took.calls, rel=0.1)
    assert row["cost_usd"]["value"] == pytest.approx(took.spent_usd, rel=0.1)
    assert took.calls < 260
    assert row["proviso"].startswith("models and prompts give the same answer as often as so far")


def test_conversations_that_are_there_are_what_a_judge_will_be_shown(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(PaidApi(steady)) as api:
        write_judged(project, api.url, 12, judges="fits")
        converse(project)
        [cold] = told(capsys)
        main(["run", "tiny", "--limit", "5"])
        [part] = told(capsys)
        main(["run", "tiny"])
        [whole] = told(capsys)
    assert [(row["stored"], row["calls"]) for row in (cold, part, whole)] == [(0, 12), (5, 7), (12, 0)]
    assert cold["proviso"] == "every verdict can be read, since another is asked for once more"


def test_what_a_judge_is_to_be_asked_once_more_is_foreseen_where_its_first_words_are_there(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(PaidApi(rambling)) as api:
        write_judged(project, api.url, 12, judges="fits")
        params = project / "params.yaml"
        text = params.read_text(encoding="utf-8")
        params.write_text(text.replace("attempts: 1}", "attempts: 1, budget_calls: 21}"), encoding="utf-8")
        main(["run", "tiny"])
        [row] = told(capsys)
    found = list(jsonl.read(project / "runs/tiny/judgements.jsonl", Judgement))
    turns = [len(each.turns) for each in found]
    assert turns.count(1) > 0
    assert row["calls"] == turns.count(0) + turns.count(1)
