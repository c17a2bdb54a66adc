import pytest

from llmops.tasks.choices import announced_choice, choice

COLOURS = ["red", "dark blue", "Green", "none of these"]


@pytest.mark.parametrize(
    ("answer", "read"),
    [
        ("B", "B"),
        ("(b)".upper(), "B"),
        (" **C**. ", "C"),
        ("Dark Blue.", "B"),
        ("The answer is (B).", "B"),
        ("The answer is A. No, wait, the answer is C.", "C"),
        ("Answer: B) dark blue", "B"),
        ("Answer: dark blue", "B"),
        ("정답: C", "C"),
        ("정답은 (D)입니다", "D"),
        ("I would take (D) because nothing fits.", "D"),
    ],
)
def test_the_choice_is_read_by_letter_or_by_text(answer, read):
    assert choice(answer, COLOURS).text == read


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", "empty answer"),
        ("(A) or (B), who knows", "several choices: A, B"),
        ("E", "'E' is none of the 4 choices"),
        ("A green one would be nice", "no choice in"),
        ("Answer: purple, not (A) nor (B)", "several choices"),
        ("Answer: purple", "no choice in 'purple'"),
    ],
)
def test_an_answer_that_picks_no_one_choice_is_unread(answer, reason):
    found = choice(answer, COLOURS)
    assert found.text is None
    assert found.reason.startswith(reason)


def test_an_article_is_no_choice():
    assert choice("The answer is a green one.", COLOURS).text is None
    assert announced_choice("The answer is a green one", []).text is None


def test_choices_that_carry_their_letters_are_read_by_their_text():
    assert choice("10", ["(A)2", "(B)10"]).text == "B"


def test_the_first_announcement_is_the_one_that_a_base_model_means():
    answer = "So the answer is (C).\n\nQuestion: And now? The answer is (D)."
    assert announced_choice(answer, []).text == "C"
    assert choice(answer, []).text == "D"
    assert announced_choice("It is (C).", []).reason == "announces no choice: 'It is (C).'"
