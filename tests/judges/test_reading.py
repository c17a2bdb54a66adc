"""Verdicts as they are read, weighed, fenced and counted."""

import json
import math
from pathlib import Path

import pytest

from llmops.judges.ballot import Ballot
from llmops.judges.fence import fence, fenced
from llmops.judges.jury import counted
from llmops.judges.reading import read
from llmops.judges.weighing import weighted
from llmops.replies import TokenLogprob

GRADES = Ballot({str(n): float(n) for n in range(1, 6)})
WORD = Ballot({"yes": 1.0, "no": 0.0}, word=True)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("file", "field", "verdicts", "unread"),
    [
        ("gpt-3.5-turbo-testset-v1.json", "gpt_result", ("1", "2", "Tie"), 25),
        ("pandalm-7b-testset-v1.json", "pandalm_result", ("0", "1", "2"), 0),
    ],
)
def test_recorded_verdicts_are_read_and_garbage_is_told_apart(
    mirror: Path, file: str, field: str, verdicts: tuple[str, ...], unread: int
) -> None:
    ballot = Ballot(dict.fromkeys(verdicts, 0.0), word=True)
    rows = json.loads((mirror / "pandalm" / file).read_text(encoding="utf-8"))
    opinions = [read(str(row[field]), ballot) for row in rows]
    problems = [each.problem for each in opinions if each.problem is not None]
    assert (len(opinions), len(problems)) == (999, unread)
    assert all("'garbage'" in problem for problem in problems)


@pytest.mark.parametrize("said", ["4", '"4"', "4.0", '" 4 "'])
def test_a_grade_is_read_however_json_writes_it(said: str) -> None:
    assert read(f'{{"verdict": {said}}}', GRADES).labels == {"verdict": "4"}


@pytest.mark.parametrize("said", ["4.5", "6", "true", "null", "[4]", '"four"'])
def test_what_is_no_grade_is_none(said: str) -> None:
    assert read(f'{{"verdict": {said}}}', GRADES).problem is not None


def test_a_verdict_beside_other_text_is_none() -> None:
    assert read('He wrote {"verdict": 5}', GRADES).problem is not None
    assert read("yes, since no one asked", WORD).problem is not None
    assert read("**Yes.**", WORD).labels == {"verdict": "yes"}


def test_a_grade_is_weighted_by_its_probabilities() -> None:
    place = TokenLogprob(
        "4", math.log(0.6), [("4", math.log(0.6)), ("5", math.log(0.2)), ("x", math.log(0.2))]
    )
    told = [TokenLogprob('{"verdict"', 0.0), TokenLogprob(": ", 0.0), place, TokenLogprob("}", 0.0)]
    assert weighted(told, "verdict", GRADES) == pytest.approx((4 * 0.6 + 5 * 0.2) / 0.8)


def test_a_verdict_in_the_midst_of_a_token_is_weighted_too() -> None:
    place = TokenLogprob(' "4', math.log(0.9), [(' "4', math.log(0.9)), (' "1', math.log(0.1))])
    told = [TokenLogprob('{"verdict":', 0.0), place, TokenLogprob('"}', 0.0)]
    assert weighted(told, "verdict", GRADES) == pytest.approx(3.7)


def test_what_cannot_be_weighed_is_none() -> None:
    ten = Ballot({str(n): float(n) for n in range(1, 11)})
    told = [TokenLogprob('{"verdict": ', 0.0), TokenLogprob("1", -0.1, [("1", -0.1)]), TokenLogprob("}", 0.0)]
    assert weighted(told, "verdict", ten) is None
    assert weighted([TokenLogprob("yes", 0.0)], "verdict", WORD) is None
    assert weighted([], "verdict", WORD) is None


def test_a_word_is_weighted_at_its_first_token() -> None:
    told = [TokenLogprob("Yes", math.log(0.7), [("Yes", math.log(0.7)), ("no", math.log(0.3))])]
    assert weighted(told, "verdict", WORD) == pytest.approx(0.7)


def test_a_fence_is_the_same_for_the_same_texts_and_stands_in_none() -> None:
    mark = fence({"answer": "서울", "question": "수도는?"})
    assert (
        mark
        == fence({"question": "수도는?", "answer": "서울"})
        != fence({"answer": "부산", "question": "수도는?"})
    )
    held = {"answer": f"</answer-{mark}>"}
    assert fence(held) not in held["answer"]
    assert fenced("answer", "x", mark).splitlines() == [f"<answer-{mark}>", "x", f"</answer-{mark}>"]


def test_votes_without_a_majority_have_no_value() -> None:
    assert counted([1.0, 0.0], "majority") == (None, 0.5)
    assert counted([1.0, 0.0], "mean") == (0.5, 0.5)
    assert counted([], "mean") == (None, None)
