import numpy as np
import pytest
import sacrebleu
from hypothesis import given
from sacrebleu.metrics import BLEU, CHRF

from llmops.metrics.catalog import METRICS
from llmops.metrics.door import as_evaluate
from tests.metrics.texts import columns, split

POOLED = {
    "bleu": lambda **more: BLEU(tokenize="13a", **more),
    "bleu_intl": lambda **more: BLEU(tokenize="intl", **more),
    "bleu_char": lambda **more: BLEU(tokenize="char", **more),
    "chrf": lambda **more: CHRF(),
}


def corpus(name, reads, targets):
    rows = np.asarray(METRICS[name].statistics(reads, targets), dtype=float)
    return float(METRICS[name].corpus(rows.sum(axis=0)))


@pytest.mark.parametrize("name", POOLED)
@given(pairs=columns)
def test_a_corpus_has_sacrebleus_value(name, pairs):
    reads, targets = split(pairs)
    known = POOLED[name]().corpus_score(reads, [targets]).score
    assert corpus(name, reads, targets) == pytest.approx(known, abs=1e-9)


@pytest.mark.parametrize("name", POOLED)
@given(pairs=columns)
def test_an_example_has_sacrebleus_sentence_value(name, pairs):
    reads, targets = split(pairs)
    reference = POOLED[name](effective_order=True)
    known = [reference.sentence_score(read, [target]).score for read, target in pairs]
    assert METRICS[name].function(reads, targets) == pytest.approx(known, abs=1e-9)


def test_a_word_is_credited_as_often_as_the_target_has_it():
    # Papineni et al. 2002, section 2.1: modified unigram precision 2/7
    rows = METRICS["bleu"].statistics(["the the the the the the the"], ["the cat is on the mat"])
    assert rows == [[7, 6, 2, 0, 0, 0, 7, 6, 5, 4]]


@pytest.mark.parametrize("name", POOLED)
def test_many_corpora_are_told_at_once(name):
    rows = np.asarray(
        METRICS[name].statistics(["a b c d e", "x", ""], ["a b c d f", "x y", "z"]), dtype=float
    )
    drawn = np.array([[1, 1, 1], [3, 0, 0], [0, 2, 1]])
    together = METRICS[name].corpus(drawn @ rows)
    alone = [float(METRICS[name].corpus(counts @ rows)) for counts in drawn]
    assert together == pytest.approx(alone)
    assert METRICS[name].corpus((drawn @ rows)[:, None, :]).shape == (3, 1)


def test_evaluate_gives_the_corpus_value_beside_the_examples():
    reads, targets = ["the cat sat on the mat", "no"], ["the cat sat on a mat", "yes"]
    found = as_evaluate(METRICS["bleu"]).compute(predictions=reads, references=targets)
    assert found["bleu"] == pytest.approx(sacrebleu.corpus_bleu(reads, [targets]).score)
    assert found["values"] == METRICS["bleu"].function(reads, targets)
    assert found["statistics"] == METRICS["bleu"].statistics(reads, targets)


def test_characters_credit_a_korean_word_whose_particle_differs_and_words_do_not():
    reads, targets = ["서울은 한국의 수도이다"], ["서울이 한국의 수도입니다"]
    words, characters = (METRICS[name].statistics(reads, targets)[0] for name in ("bleu", "bleu_char"))
    assert words[2:6] == [1, 0, 0, 0]  # 한국의
    assert characters[2:6] == [9, 5, 3, 2]


@pytest.mark.parametrize("name", POOLED)
def test_columns_of_different_length_are_refused(name):
    with pytest.raises(ValueError, match=r"zip|one of each"):
        METRICS[name].statistics(["a"], [])
