"""Confidence sequences: their error over every time at which one might stop, and what they cost."""

from itertools import pairwise

import numpy as np
import pytest

from llmops.stats.betting import confidence_sequence
from llmops.stats.estimate import mean

GRID = np.linspace(0.0005, 0.9995, 1000)


def by_grid(values, alpha):
    """The hedged capital as Waudby-Smith and Ramdas write it, for each mean of a grid, value by value."""
    kept, up, down = np.ones(len(GRID), bool), np.ones(len(GRID)), np.ones(len(GRID))
    spread, total, seen = 0.25, 0.0, 0.0
    for t, x in enumerate(values, 1):
        bet = np.sqrt(2 * np.log(2 / alpha) / (spread * t * np.log(t + 1)))
        up *= 1 + np.minimum(bet, 0.5 / GRID) * (x - GRID)
        down *= 1 - np.minimum(bet, 0.5 / (1 - GRID)) * (x - GRID)
        kept &= np.maximum(up, down) / 2 < 1 / alpha
        total += x
        seen += (x - (0.5 + total) / (t + 1)) ** 2
        spread = (0.25 + seen) / (t + 1)
    return GRID[kept][0], GRID[kept][-1]


def test_it_is_the_hedged_capital_of_a_grid_of_means():
    values = np.random.default_rng(1).beta(4, 2, size=150)
    found = confidence_sequence(values)
    assert (found.low, found.high) == pytest.approx(by_grid(values, 0.05), abs=0.0011)


def test_it_never_widens_as_values_come():
    values = (np.random.default_rng(2).random(300) < 0.7).astype(float)
    ends = [confidence_sequence(values[:n]) for n in range(1, 300)]
    assert all(a.low <= b.low and b.high <= a.high for a, b in pairwise(ends))


def test_bounds_move_and_stretch_it():
    values = np.random.default_rng(3).random(80)
    unit, wide = confidence_sequence(values), confidence_sequence(values * 2 - 1, -1, 1)
    assert (wide.low, wide.high) == pytest.approx((2 * unit.low - 1, 2 * unit.high - 1))


def test_a_value_out_of_its_bounds_is_refused():
    with pytest.raises(ValueError, match="not 0"):
        confidence_sequence([0.5, 1.5])


def test_no_values_and_one_value_claim_nothing():
    assert confidence_sequence([]).reason == "no values"
    assert (confidence_sequence([1.0]).low, confidence_sequence([1.0]).high) == (pytest.approx(0, abs=0.2), 1)


DRAWS = {
    "right nine times in ten": (lambda g, n: (g.random(n) < 0.9).astype(float), 0.9, 0, 1),
    "right every second time": (lambda g, n: (g.random(n) < 0.5).astype(float), 0.5, 0, 1),
    "grades": (lambda g, n: g.beta(5, 2, n), 5 / 7, 0, 1),
    "paired": (lambda g, n: g.choice([-1.0, 0.0, 1.0], p=[0.06, 0.9, 0.04], size=n), -0.02, -1, 1),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", DRAWS)
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_it_holds_the_mean_at_every_stopping_time_together(name, confidence):
    draw, true, least, most = DRAWS[name]
    generator, missed = np.random.default_rng(9), 0
    for _ in range(1000):
        # It never widens, so the last one has missed wherever any before it had.
        found = confidence_sequence(draw(generator, 500), least, most, confidence)
        missed += not found.low <= true <= found.high
    assert missed / 1000 <= 1 - confidence + 0.015


@pytest.mark.slow
def test_stopping_when_decided_is_wrong_as_seldom_as_promised_where_usual_intervals_are_not():
    """The truth lies on the bound, so that either decision would be an error."""
    generator, wrong, naive = np.random.default_rng(10), 0, 0
    looks = [2**k for k in range(4, 11)]
    for _ in range(500):
        values = (generator.random(looks[-1]) < 0.8).astype(float)
        found = [confidence_sequence(values[:n]) for n in looks]
        usual = [mean(values[:n]) for n in looks]
        wrong += any(not each.low <= 0.8 <= each.high for each in found)
        naive += any(not each.low <= 0.8 <= each.high for each in usual)
    assert wrong / 500 <= 0.05
    assert naive / 500 > 0.1


@pytest.mark.slow
def test_a_difference_far_from_the_margin_is_decided_with_a_fraction_of_the_examples():
    generator, needed = np.random.default_rng(11), []
    for _ in range(100):
        values = generator.choice([-1.0, 0.0, 1.0], p=[0.03, 0.825, 0.145], size=733)
        decided = (n for n in range(32, 734, 32) if confidence_sequence(values[:n], -1, 1).low > -0.02)
        needed.append(next(decided, 733))
    assert np.median(needed) < 250
