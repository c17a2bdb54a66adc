"""The score test of paired proportions, beside its definition and by its coverage."""

import numpy as np
import pytest
from scipy import optimize, stats

from llmops.stats.interval import Interval, z_quantile
from llmops.stats.tango import equivalence, non_inferiority, tango


def score(fixed, broke, n, delta):
    """The statistic as it is defined: the likelihood maximised by a general optimiser."""

    def against(q):
        cells = np.array([q + delta, q, 1 - 2 * q - delta])
        counts = np.array([fixed, broke, n - fixed - broke])
        return -(counts * np.log(np.maximum(cells, 1e-300))).sum()

    bounds = (max(0.0, -delta), (1 - delta) / 2)
    q = optimize.minimize_scalar(against, bounds=bounds, method="bounded", options={"xatol": 1e-12}).x
    return (fixed - broke - n * delta) / np.sqrt(n * (2 * q + delta - delta**2))


@pytest.mark.parametrize(("fixed", "broke", "n"), [(26, 4, 48), (3, 9, 60), (12, 12, 400), (1, 2, 15)])
def test_at_its_limits_the_score_is_the_normal_quantile(fixed, broke, n):
    for confidence in (0.9, 0.95, 0.9958):
        found = tango(fixed, broke, n, confidence)
        assert score(fixed, broke, n, found.low) == pytest.approx(z_quantile(confidence), abs=1e-4)
        assert score(fixed, broke, n, found.high) == pytest.approx(-z_quantile(confidence), abs=1e-4)


def test_swapping_the_sides_mirrors_the_interval():
    there, back = tango(9, 2, 40), tango(2, 9, 40)
    assert (there.low, there.high) == (-back.high, -back.low)


def test_where_no_pair_differs_the_limits_are_those_of_wilson():
    z2 = z_quantile(0.95) ** 2
    assert tango(0, 0, 50).high == pytest.approx(z2 / (50 + z2))
    assert tango(0, 0, 50).low == pytest.approx(-z2 / (50 + z2))


def test_where_every_pair_changed_the_interval_reaches_its_end():
    found = tango(30, 0, 30)
    assert found.high == 1
    assert 0.7 < found.low < 0.95
    assert tango(1, 0, 1).low is None


def test_the_test_at_a_margin_says_what_the_interval_says():
    low = tango(8, 11, 300).low
    assert non_inferiority(8, 11, 300, -low + 1e-9) < 0.025 < non_inferiority(8, 11, 300, -low - 1e-9)


def test_without_a_margin_it_is_mcnemars_test_without_correction():
    assert non_inferiority(30, 14, 200, 0.0) == pytest.approx(stats.norm.sf(16 / np.sqrt(44)))


def test_equivalence_is_the_worse_of_its_two_sides():
    worse, better = non_inferiority(20, 6, 200, 0.1), non_inferiority(6, 20, 200, 0.1)
    assert equivalence(20, 6, 200, 0.1) == equivalence(6, 20, 200, 0.1) == max(worse, better)


def test_fewer_than_two_pairs_have_no_interval():
    assert tango(0, 0, 0) == Interval(None, 0, reason="no pairs")
    assert tango(1, 0, 1) == Interval(1.0, 1, reason="one pair tells nothing of the spread")


def test_a_margin_that_is_none_is_refused():
    with pytest.raises(ValueError, match=r"margin is -0\.1"):
        non_inferiority(1, 1, 10, -0.1)


def chances(n, p, q):
    """Every likely outcome of n pairs with its probability."""
    fixed, broke = (grid.ravel() for grid in np.mgrid[: n + 1, : n + 1])
    chance = stats.multinomial.pmf(np.stack([fixed, broke, n - fixed - broke], axis=1), n, [p, q, 1 - p - q])
    likely = chance > 1e-8
    return zip(fixed[likely].tolist(), broke[likely].tolist(), chance[likely].tolist(), strict=True)


@pytest.mark.parametrize(
    ("n", "p", "q"), [(50, 0.1, 0.05), (100, 0.2, 0.1), (100, 0.05, 0.05), (200, 0.3, 0.25)]
)
def test_it_covers_95_percent(n, p, q):
    found = [(tango(f, b, n), chance) for f, b, chance in chances(n, p, q)]
    covered = sum(chance for interval, chance in found if interval.low <= p - q <= interval.high)
    assert 0.94 < covered < 0.97


@pytest.mark.parametrize(("n", "better"), [(50, 0.02), (100, 0.005), (200, 0.05)])
def test_what_is_worse_by_the_margin_passes_as_seldom_as_it_says(n, better):
    margin = 0.05
    passed = sum(
        chance
        for f, b, chance in chances(n, better, better + margin)
        if non_inferiority(f, b, n, margin) <= 0.025
    )
    assert passed < 0.027
