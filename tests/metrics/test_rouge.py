import time

import pytest
from hypothesis import given
from rouge_score.rouge_scorer import RougeScorer

from llmops.errors import UserError
from llmops.metrics.rouge import KINDS, _column, rouge, rouge_ko
from llmops.metrics.tokens import ascii_words, syllables
from llmops.metrics.union_lcs import union_hits
from tests.metrics.texts import anything, korean_lines, lines

ENGLISH = RougeScorer(list(KINDS))


class Syllables:
    """Our tokeniser, as rouge-score wants it."""

    def tokenize(self, text):
        return syllables(text)


KOREAN = RougeScorer(list(KINDS), tokenizer=Syllables())


def agree(ours, scorer, read, target):
    known = scorer.score(target, read)
    for kind in KINDS:
        assert ours(kind)([read], [target]) == pytest.approx([known[kind].fmeasure], abs=1e-9), kind


@given(lines, lines)
def test_english_has_rouge_scores_value(read, target):
    agree(rouge, ENGLISH, read, target)


@given(anything, anything)
def test_any_text_has_rouge_scores_value_by_its_tokeniser(read, target):
    agree(lambda kind: lambda r, t: _column(kind, ascii_words, r, t), ENGLISH, read, target)


@given(korean_lines, korean_lines)
def test_korean_has_the_value_that_rouge_score_gives_with_our_tokeniser(read, target):
    agree(rouge_ko, KOREAN, read, target)


@given(lines, lines)
def test_english_has_the_same_value_by_both_tokenisers(read, target):
    for kind in KINDS:
        assert rouge(kind)([read], [target]) == rouge_ko(kind)([read], [target])


def test_the_union_takes_what_any_line_covers():
    # Lin 2004, section 3.2: w1 w2 w3 w4 w5 against w1 w2 w6 w7 w8 and w1 w3 w8 w9 w5 covers w1 w2 w3 w5.
    target = [["w1", "w2", "w3", "w4", "w5"]]
    answer = [["w1", "w2", "w6", "w7", "w8"], ["w1", "w3", "w8", "w9", "w5"]]
    assert union_hits(target, answer) == 4
    assert union_hits([], answer) == union_hits(target, []) == union_hits([[]], [[], ["w1"]]) == 0


def test_korean_is_refused_where_rouge_score_would_call_it_all_wrong():
    assert RougeScorer(["rouge1"]).score("서울은 수도", "서울은 수도")["rouge1"].fmeasure == 0
    with pytest.raises(UserError) as refused:
        rouge("rouge1")(["서울은 수도", "yes"], ["서울은 수도", "ok"])
    assert str(refused.value) == (
        "metrics: 'rouge1' knows a–z and 0–9 only, and 62% of the targets is in other letters; use 'rouge1_ko'"
    )
    assert rouge_ko("rouge1")(["서울은 수도"], ["서울은 수도"]) == [1.0]


def test_a_few_foreign_letters_are_no_reason_to_refuse():
    assert rouge("rouge1")(["a naïve café"], ["a café"]) == pytest.approx([2 * 2 / 6])


@pytest.mark.parametrize("line", [1, 40, 2000])
def test_answers_of_a_hundred_kilobytes_take_no_quadratic_time(line):
    words = [f"w{i * i % 2999}" for i in range(18_000)]
    text = "\n".join(" ".join(words[i : i + 18_000 // line]) for i in range(0, 18_000, 18_000 // line))
    other = "\n".join(reversed(text.split("\n"))) + " and more"
    start = time.perf_counter()
    assert 0 < rouge("rougeLsum")([text], [other])[0] <= 1
    assert time.perf_counter() - start < 5  # rouge-score's table has 324 million cells
