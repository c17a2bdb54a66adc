from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops.errors import UserError
from llmops.metrics.match import (
    exact_match,
    exact_number,
    label_accuracy,
    normalised,
    normalised_match,
    numeric_match,
)


def test_a_label_is_right_when_it_is_the_target():
    assert label_accuracy(["refund", "order", "환불"], ["refund", "Order", "환불"]) == [1.0, 0.0, 1.0]


def test_an_exact_match_sees_case_but_neither_outer_space_nor_composition():
    assert exact_match([" é ", "a", "a"], ["e\u0301", "A", "a."]) == [1.0, 0.0, 0.0]


def test_a_normalised_match_sees_neither_case_nor_punctuation_nor_articles():
    reads = ["The Eiffel Tower!", "“Seoul”", "Straße", "a theatre", "서울은"]
    targets = ["eiffel  tower", "seoul.", "STRASSE", "theatre", "서울"]
    assert normalised_match(reads, targets) == [1.0, 1.0, 1.0, 1.0, 0.0]


@given(st.text())
def test_normalising_twice_changes_nothing_for_a_text_without_articles(text):
    once = normalised(text)
    if not {"a", "an", "the"} & set(normalised(once).split()):
        assert normalised(once) == once


def test_numbers_match_by_value_and_exactly():
    reads = ["1,200", "0.50", "1/3", "0.1", "-5", "9007199254740993"]
    targets = ["1200.0", "1/2", "0.3333333333", "0.10", "5", "9007199254740992"]
    assert numeric_match(reads, targets) == [1.0, 1.0, 0.0, 1.0, 0.0, 0.0]


@pytest.mark.parametrize("text", ["", ".", "-", "1,2", "18 dollars", "5/0", "/3", "1e5", "nan", "9" * 5000])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(UserError, match="numeric_match"):
        numeric_match(["1"], [text])


@given(st.fractions())
def test_any_fraction_is_the_number_it_is(value):
    assert exact_number(str(value)) == value == Fraction(str(value))


@pytest.mark.parametrize("metric", [label_accuracy, exact_match, normalised_match, numeric_match])
def test_columns_of_different_length_are_refused(metric):
    with pytest.raises(ValueError, match="zip"):
        metric(["1"], [])
