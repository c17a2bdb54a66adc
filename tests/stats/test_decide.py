import math

import pytest

from llmops.stats.decide import decide, examples_to_decide
from llmops.stats.estimate import mean


@pytest.mark.parametrize(
    ("low", "high", "outcome"),
    [
        (0.8, 0.9, "pass"),
        (0.79, 0.9, "inconclusive"),
        (0.7, 0.8, "inconclusive"),
        (0.7, 0.7999, "fail"),
        (0.85, None, "pass"),
        (None, 0.7, "fail"),
        (None, 0.9, "inconclusive"),
        (None, None, "inconclusive"),
        (0.8, 0.8, "pass"),
    ],
)
def test_the_whole_interval_decides(low, high, outcome):
    assert decide(low, high, at_least=0.8) == outcome


@pytest.mark.parametrize(
    ("low", "high", "outcome"),
    [
        (1, 2, "pass"),
        (1, 2.1, "inconclusive"),
        (2.1, 3, "fail"),
        (2, 2, "pass"),
        (None, 2, "pass"),
        (3, None, "fail"),
    ],
)
def test_at_most_mirrors_at_least(low, high, outcome):
    assert decide(low, high, at_most=2) == outcome


@pytest.mark.parametrize(
    ("low", "high", "outcome"),
    [
        (-0.02, 0.02, "pass"),
        (0.0, 0.03, "inconclusive"),
        (-0.03, 0.03, "inconclusive"),
        (0.03, 0.04, "fail"),
        (-0.04, -0.03, "fail"),
        (None, 0.0, "inconclusive"),
    ],
)
def test_between_two_bounds_both_limits_must_lie(low, high, outcome):
    assert decide(low, high, at_least=-0.02, at_most=0.02) == outcome


def test_at_least_one_bound_is_given():
    with pytest.raises(ValueError, match="at_least or at_most"):
        decide(0, 1)


@pytest.mark.parametrize("ends", [(2, 1), (math.nan, 1)])
def test_what_is_no_interval_is_refused(ends):
    with pytest.raises(ValueError, match="no interval"):
        decide(*ends, at_least=1)


def test_an_interval_twice_too_wide_needs_four_times_the_examples():
    assert examples_to_decide(0.85, 0.75, 0.95, 50, bound=0.8) == 200
    assert examples_to_decide(-0.1, -0.3, 0.1, 10, bound=0.0) == 40


def test_a_value_on_the_bound_is_never_decided():
    assert examples_to_decide(0.8, 0.7, 0.9, 50, bound=0.8) is None
    assert examples_to_decide(0.8, None, None, 1, bound=0.9) is None
    assert examples_to_decide(None, None, None, 0, bound=0.9) is None


def test_a_decided_interval_needs_no_more_examples():
    assert examples_to_decide(0.9, 0.85, 0.95, 50, bound=0.8) == 50


def test_the_examples_asked_for_bring_a_proportion_to_its_bound():
    few = mean([1.0] * 60 + [0.0] * 15)
    n = examples_to_decide(few.value, few.low, few.high, few.n, bound=0.75)
    more = mean([1.0] * round(0.8 * n) + [0.0] * round(0.2 * n))
    assert more.low == pytest.approx(0.75, abs=0.005)
