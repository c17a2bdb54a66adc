import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_score.tokenizers import DefaultTokenizer

from llmops.metrics.overlap import token_f1_ko
from llmops.metrics.tokens import ascii_words, syllables


@given(st.text())
def test_ascii_words_are_those_of_rouge_score(text):
    assert ascii_words(text) == DefaultTokenizer().tokenize(text)


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_ascii_text_has_the_same_tokens_by_both(text):
    assert syllables(text) == ascii_words(text)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("서울은 GPT-4를", ["서", "울", "은", "gpt", "4", "를"]),
        ("３월 1일, ㅋㅋ!", ["3", "월", "1", "일", "ᄏ", "ᄏ"]),
        ("東京とは", ["東", "京", "と", "は"]),
        ("Straße naïve Ünïversität", ["strasse", "naïve", "ünïversität"]),
        ("…“” 🎉", []),
    ],
)
def test_syllables_stand_alone_and_other_words_stay_whole(text, tokens):
    assert syllables(text) == tokens
    assert syllables(unicodedata.normalize("NFD", text)) == tokens


def test_korean_f1_counts_syllables():
    assert token_f1_ko(["서울은"], ["서울"]) == [pytest.approx(0.8)]
    assert token_f1_ko(["", "", "!"], ["", "서울", "?"]) == [1.0, 0.0, 1.0]
