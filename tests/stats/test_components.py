"""Variance split into examples and their answers."""

import numpy as np
import pytest

from llmops.stats.components import components


def test_both_parts_are_found_on_average_though_groups_differ_in_size() -> None:
    random = np.random.default_rng(0)
    found = []
    for _ in range(400):
        groups = [random.normal(random.normal(0, 2.0), 1.0, size) for size in [2, 3, 5] * 20]
        found.append(components(groups))
    assert np.mean([each.example for each in found if each.example is not None]) == pytest.approx(
        4.0, rel=0.05
    )
    assert np.mean([each.answer for each in found if each.answer is not None]) == pytest.approx(1.0, rel=0.02)


def test_balanced_groups_give_the_textbook_values() -> None:
    split = components([[1.0, 3.0], [5.0, 7.0], [9.0, 11.0]])
    assert (split.example, split.answer, split.n) == (pytest.approx(15.0), pytest.approx(2.0), 3)


def test_examples_that_differ_less_than_their_answers_have_no_variance_of_their_own() -> None:
    split = components([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
    assert split.example == 0.0
    assert split.reason == "examples differ by less than their own answers do"


@pytest.mark.parametrize(
    ("groups", "reason"),
    [
        ([[1.0, 2.0]], "fewer than two examples"),
        ([[1.0], [2.0]], "no example was answered twice; set `repeats`"),
    ],
)
def test_what_the_sample_cannot_tell_is_none_with_a_reason(groups: list[list[float]], reason: str) -> None:
    assert components(groups) == (None, None, len(groups), reason)
