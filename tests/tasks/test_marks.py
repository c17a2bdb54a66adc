import pytest

from llmops.tasks.marks import LABEL, decisive


def texts(answer, pattern=None):
    return [mark.text for mark in (decisive(answer, pattern) if pattern else decisive(answer))]


@pytest.mark.parametrize(
    "answer",
    [
        "A: 7",
        "Answer: 7",
        "final answer = 7",
        '"answer": 7',
        "#### 7",
        r"\boxed{7}",
        "정답: 7",
        "**답**: 7",
        "정답은: 7",
    ],
)
def test_a_firm_mark_is_found(answer):
    (mark,) = decisive(f"I thought of 5.\n{answer}")
    assert (mark.text.strip(), mark.firm) == ("7", True)


def test_the_last_firm_mark_decides_alone():
    assert texts("Answer: 1\nAnswer: 2\nThe answer is 3") == ["2"]


def test_prose_marks_come_last_first():
    assert texts("the answer is 1, or the answer is 2") == ["2", "1, or the"]


def test_a_quoted_value_ends_with_its_quotes():
    assert texts('{"answer": "a \\n b", "why": "c"}') == ["a \\n b"]
    assert texts("Answer: 'twas the night") == ["'twas the night"]


def test_a_heading_is_no_mark():
    assert texts("#### Step 1\nmore") == []
    assert texts("##### 5") == []
    assert texts("#### 5\nmore") == ["5"]
    assert texts("#### five") == ["five"]


def test_only_labels_are_announced_by_the_word_label():
    assert texts("Label: x") == []
    assert texts("Label: x", LABEL) == ["x"]
    assert texts("분류: x", LABEL) == ["x"]


@pytest.mark.parametrize("answer", ["Data: 5", "대답: 5", "reanswer: 5", "정답은근 5"])
def test_a_part_of_a_word_is_no_mark(answer):
    assert texts(answer) == []
