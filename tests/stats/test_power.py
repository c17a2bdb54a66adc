"""How many examples a decision needs."""

import numpy as np
import pytest

from llmops.stats.power import examples_for, examples_for_equivalence, smallest_difference
from llmops.stats.tango import tango


def test_the_smallest_difference_is_seen_in_four_runs_of_five() -> None:
    random, n = np.random.default_rng(0), 400
    difference = smallest_difference(1.0, n)
    samples = random.normal(difference, 1.0, (4000, n))
    low = samples.mean(axis=1) - 1.96 * samples.std(axis=1, ddof=1) / np.sqrt(n)
    assert (low > 0).mean() == pytest.approx(0.8, abs=0.02)


def test_so_many_examples_see_that_difference_and_one_less_does_not() -> None:
    n = examples_for(0.5, 0.02)
    assert n == 4906, "((1.95996 + 0.84162) * 0.5 / 0.02)^2"
    assert smallest_difference(0.5, n) <= 0.02 < smallest_difference(0.5, n - 1)


def test_equivalence_of_equal_runs_is_shown_in_four_runs_of_five() -> None:
    random = np.random.default_rng(1)
    n = examples_for_equivalence(1.0, 0.2)
    assert n is not None
    samples = random.normal(0.0, 1.0, (4000, n))
    mean, reach = samples.mean(axis=1), 1.96 * samples.std(axis=1, ddof=1) / np.sqrt(n)
    assert ((mean - reach > -0.2) & (mean + reach < 0.2)).mean() == pytest.approx(0.8, abs=0.02)


def test_no_number_of_examples_decides_a_truth_that_lies_at_the_bound() -> None:
    assert examples_for(0.5, 0.0) is None


def test_a_set_without_examples_has_no_smallest_difference() -> None:
    with pytest.raises(ValueError, match="n is 0"):
        smallest_difference(0.5, 0)


@pytest.mark.slow
@pytest.mark.parametrize("true", [0.0, 0.02])
def test_pairs_planned_for_a_margin_show_no_inferiority_in_four_runs_of_five(true: float) -> None:
    random, discordant = np.random.default_rng(8), 0.2
    n = examples_for(np.sqrt(discordant - true**2), 0.05 + true)
    assert n is not None
    chances = [(discordant + true) / 2, (discordant - true) / 2, 1 - discordant]
    drawn = random.multinomial(n, chances, size=2000)
    shown = [(tango(int(fixed), int(broke), n).low or -1) > -0.05 for fixed, broke, _ in drawn]
    assert np.mean(shown) == pytest.approx(0.8, abs=0.03)
