import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops.metrics.catalog import METRICS
from llmops.metrics.overlap import token_f1


@pytest.mark.parametrize(
    ("read", "target", "f1"),
    [
        ("the cat sat", "a cat sat down", 0.8),  # 2 shared of 2 and 3
        ("cat cat cat", "cat", 0.5),  # 1 shared of 3 and 1
        ("Denver Broncos", "denver broncos.", 1.0),
        ("red", "blue", 0.0),
        ("the", "a", 1.0),
        ("the", "cat", 0.0),
        ("서울은 한국의 수도", "한국의 수도", 0.8),
        ("서울은", "서울", 0.0),
    ],
)
def test_token_f1_counts_the_shared_words(read, target, f1):
    assert token_f1([read], [target]) == [pytest.approx(f1)]


@given(st.text(), st.text())
def test_token_f1_is_symmetric_and_between_0_and_1(one, other):
    (f1,) = token_f1([one], [other])
    assert 0 <= f1 <= 1
    assert token_f1([other], [one]) == [f1]
    assert token_f1([one], [one]) == [1.0]


@pytest.mark.parametrize(
    "name", ["chrf", "bleu_char", "edit_similarity", "rougeL_ko", "embedding_similarity"]
)
def test_korean_is_the_same_however_it_is_composed(name):
    function = METRICS[name].function
    (known,) = function(["환불 상태"], ["환불 상태"])
    assert function([unicodedata.normalize("NFD", "환불 상태")], ["환불 상태"]) == [known]
