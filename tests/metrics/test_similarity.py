import time
import unicodedata

import pytest
from hypothesis import given
from rapidfuzz.distance import Levenshtein
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics.pairwise import cosine_similarity

from llmops.metrics.alignment import edit_similarity
from llmops.metrics.catalog import METRICS
from tests.metrics.texts import anything

similar = METRICS["embedding_similarity"].function


def padded(text):
    words = unicodedata.normalize("NFKD", text).casefold().split()
    return f" {' '.join(words)} " if words else ""


@given(anything, anything)
def test_edit_similarity_is_rapidfuzzs(read, target):
    assert edit_similarity([read], [target]) == [Levenshtein.normalized_similarity(read, target)]


@pytest.mark.parametrize(
    ("read", "target", "value"),
    [
        ("kitten", "sitting", 1 - 3 / 7),
        ("", "", 1.0),
        ("", "ab", 0.0),
        ("환불해", "환불을", 2 / 3),
        ("A", "a", 0.0),
    ],
)
def test_edit_similarity_counts_characters_changed(read, target, value):
    assert edit_similarity([read], [target]) == [pytest.approx(value)]
    assert edit_similarity([unicodedata.normalize("NFD", read)], [target]) == [pytest.approx(value)]


@given(anything, anything)
def test_embedding_similarity_is_scikit_learns_cosine_of_the_same_ngrams(read, target):
    texts = [padded(read), padded(target)]
    if all(len(text) > 2 for text in texts):
        counts = CountVectorizer(
            analyzer="char", ngram_range=(3, 5), lowercase=False, preprocessor=str
        ).fit_transform(texts)
        known = cosine_similarity(counts)[0, 1]
        assert similar([read], [target]) == [pytest.approx(known, abs=1e-9)]


def test_forms_of_a_korean_verb_are_nearer_than_other_words():
    form, other = similar(["환불했어요", "환불했어요"], ["환불하세요", "배송조회는"])
    assert form > 0.4
    assert other < 0.1
    assert similar(["네", "", "", "다른 말"], ["네", "", "네", "paraphrase"]) == [1.0, 1.0, 0.0, 0.0]


@pytest.mark.parametrize(
    "name", ["bleu", "bleu_char", "chrf", "edit_similarity", "embedding_similarity", "rougeL"]
)
def test_answers_of_a_hundred_kilobytes_are_measured_in_linear_time_or_near(name):
    text = " ".join(f"w{i * i % 2999}" for i in range(18_000))
    start = time.perf_counter()
    METRICS[name].function([text], [text[::-1]])
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, metric in METRICS.items()
        if metric.tasks == {"text"}
        and "_strict" not in name
        and "_loose" not in name
        and name != "json_schema"
    ],
)
def test_marks_without_end_take_no_quadratic_time(name):
    marks = "a" + "\u0301\u0316" * 25_000  # normalising it as it is takes seconds
    start = time.perf_counter()
    METRICS[name].function([marks], ["a"])
    assert time.perf_counter() - start < 2
