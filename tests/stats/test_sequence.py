"""Confidence sequences."""

import numpy as np
import pytest

from llmops.stats.sequence import confidence_sequence

LOOKS = (10, 20, 40, 80, 160, 320)


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_it_covers_the_mean_at_all_looks_together(share: float) -> None:
    random = np.random.default_rng(0)
    missed = 0
    for _ in range(600):
        values = (random.random(320) < share).astype(float)
        spans = [confidence_sequence(values[:n], 0.1, 0, 1) for n in LOOKS]
        missed += any(not span.low <= share <= span.high for span in spans)
    assert missed / 600 <= 0.1


def test_a_difference_at_the_margin_is_seldom_decided_though_looked_at_after_every_block() -> None:
    random = np.random.default_rng(1)
    wrong = 0
    for _ in range(600):
        values = random.choice([-1.0, 0.0, 1.0], p=[0.12, 0.78, 0.10], size=640)
        wrong += any(confidence_sequence(values[:n], 0.1, -1, 1).low > -0.02 for n in (*LOOKS, 640))
    assert wrong / 600 <= 0.05, "one side of the interval errs by half of alpha"


def test_intervals_that_take_n_as_fixed_err_more_often_than_they_say_when_looked_at_again() -> None:
    random = np.random.default_rng(2)
    wrong = 0
    for _ in range(600):
        values = random.normal(0, 1, 640)
        ends = [abs(values[:n].mean()) - 1.645 * values[:n].std(ddof=1) / np.sqrt(n) for n in (*LOOKS, 640)]
        wrong += any(end > 0 for end in ends)
    assert wrong / 600 > 0.2


def test_it_narrows_as_values_come() -> None:
    values = [1.0, 0.0, 1.0, 1.0] * 500
    wide, narrow = (confidence_sequence(values[:n], 0.05, 0, 1) for n in (100, 2000))
    assert wide.low < narrow.low < 0.75 < narrow.high < wide.high
    assert narrow.high - narrow.low < 0.1


def test_before_any_value_it_is_all_that_can_be() -> None:
    assert confidence_sequence([], 0.05, -1, 1) == (-1, 1, 0)


def test_a_value_outside_of_its_bounds_is_refused() -> None:
    with pytest.raises(ValueError, match="outside 0 to 1"):
        confidence_sequence([2.0], 0.05, 0, 1)
