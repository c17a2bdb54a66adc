"""Sizes and detectable differences, held to the tests that they plan for."""

import numpy as np
import pytest
from scipy import stats

from llmops.stats.compare import paired_difference
from llmops.stats.estimate import mean
from llmops.stats.power import (
    detectable_difference,
    detectable_share,
    examples_for_width,
    pairs_for_difference,
    pairs_to_clear,
)
from llmops.stats.tango import tango


def pairs(generator, n, delta, discordant):
    """How many of n pairs were fixed, and how many broke."""
    chances = [(discordant + delta) / 2, (discordant - delta) / 2, 1 - discordant]
    fixed, broke, _ = generator.multinomial(n, chances)
    return int(fixed), int(broke), n


def test_the_difference_that_is_found_and_the_pairs_that_find_it_are_one_formula():
    seen = detectable_share(0.2, 700)
    assert pairs_for_difference(seen, 0.2) == 700
    assert pairs_for_difference(detectable_share(0.05, 200), 0.05) == 200


def test_pairs_of_connor_1987():
    under, above = stats.norm.ppf(0.975) * np.sqrt(0.3), stats.norm.ppf(0.9) * np.sqrt(0.3 - 0.01)
    assert pairs_for_difference(0.1, 0.3, 0.95, 0.9) == int(np.ceil(((under + above) / 0.1) ** 2))


def test_what_nothing_finds_is_unknown():
    assert detectable_share(0.02, 40) is None
    assert pairs_for_difference(0.0, 0.3) is None
    assert pairs_to_clear(0.8, 0.8, 0.1) is None


def test_four_times_the_pairs_see_half_the_difference():
    assert detectable_difference(0.3, 400) == pytest.approx(detectable_difference(0.3, 100) / 2)


def test_an_interval_of_the_planned_size_is_as_wide_as_planned():
    n = examples_for_width(0.03, 0.8 * 0.2)
    found = mean([1.0] * round(0.8 * n) + [0.0] * round(0.2 * n))
    assert (found.high - found.low) / 2 == pytest.approx(0.03, rel=0.02)


@pytest.mark.slow
def test_a_difference_that_is_planned_for_is_found_four_times_in_five():
    generator, n = np.random.default_rng(6), 500
    delta = detectable_share(0.2, n)
    found = sum(tango(*pairs(generator, n, delta, 0.2)).low > 0 for _ in range(2000))
    assert found / 2000 == pytest.approx(0.8, abs=0.03)


@pytest.mark.slow
def test_a_mean_difference_that_is_planned_for_is_found_four_times_in_five():
    generator, n = np.random.default_rng(7), 120
    delta = detectable_difference(0.25, n)
    drawn = generator.normal(delta, 0.5, size=(1000, n))
    found = sum(paired_difference(row, np.zeros(n)).low > 0 for row in drawn)
    assert found / 1000 == pytest.approx(0.8, abs=0.035)


@pytest.mark.slow
@pytest.mark.parametrize("true", [0.0, 0.02])
def test_pairs_planned_for_a_margin_show_no_inferiority_four_times_in_five(true):
    generator = np.random.default_rng(8)
    n = pairs_to_clear(-0.05, true, 0.2 - true**2)
    found = sum(tango(*pairs(generator, n, true, 0.2)).low > -0.05 for _ in range(2000))
    assert found / 2000 == pytest.approx(0.8, abs=0.03)
