import pytest

from llmops.tasks.finals import final


@pytest.mark.parametrize(
    ("answer", "read"),
    [
        ("Let's see.\n2 + 5 is 7. So the answer is 7.", "7"),
        ("So the answer is barn damp zebra.", "barn damp zebra"),
        ("So the answer is (B).", "(B)"),
        ("True", "True"),
        (" ] ] ) ", "] ] )"),
    ],
)
def test_an_announced_or_a_bare_answer_is_read(answer, read):
    assert final(answer, []).text == read


@pytest.mark.parametrize("answer", ["", "First we sort.\nThen we", "word " * 100])
def test_working_without_an_end_is_unread(answer):
    found = final(answer, [])
    assert found.text is None
    assert found.reason
