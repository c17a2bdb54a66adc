"""Corrections of a family, by their definitions and by how often anything true is rejected."""

import numpy as np
import pytest
from scipy import stats

from llmops.stats.multiple import benjamini_hochberg, holm, p_of_interval, step_down


def test_benjamini_hochberg_is_scipys():
    p_values = np.random.default_rng(0).random(40) ** 2
    assert benjamini_hochberg(p_values) == pytest.approx(stats.false_discovery_control(p_values))


def test_holm_rejects_what_its_steps_reject():
    p_values = np.random.default_rng(1).random(25) ** 3
    adjusted = np.array(holm(p_values))
    ordered = np.sort(p_values)
    fits = ordered <= 0.05 / np.arange(25, 0, -1)
    rejected = 25 if fits.all() else int(np.argmin(fits))
    assert (adjusted <= 0.05).sum() == rejected
    assert (adjusted >= p_values).all()
    assert (np.diff(adjusted[np.argsort(p_values)]) >= 0).all()


def test_no_claims_need_no_correction():
    assert holm([]) == benjamini_hochberg([]) == step_down(0, lambda claim, among: True) == []


def test_what_is_no_probability_is_refused():
    with pytest.raises(ValueError, match=r"p_values\[1\] is 1.2"):
        holm([0.1, 1.2])


@pytest.mark.parametrize("seed", range(5))
def test_stepping_down_by_intervals_settles_what_holm_settles_by_p_values(seed):
    p_values = np.random.default_rng(seed).random(12) ** 4
    tested = step_down(12, lambda claim, among: bool(p_values[claim] <= 0.05 / among))
    settled = [bool(p <= 0.05 / among) for p, among in zip(p_values, tested, strict=True)]
    assert settled == [p <= 0.05 for p in holm(p_values)]


def test_a_family_of_true_nulls_is_rejected_in_5_percent_at_most():
    generator = np.random.default_rng(3)
    shared, own = generator.normal(size=(2000, 1)), generator.normal(size=(2000, 12))
    p_values = stats.norm.sf((shared + own) / np.sqrt(2))
    wrong = np.mean([min(holm(row)) <= 0.05 for row in p_values])
    uncorrected = np.mean(p_values.min(axis=1) <= 0.05)
    assert wrong < 0.055
    assert uncorrected > 0.25


def test_an_intervals_p_value_is_that_of_its_test():
    for difference, se in ((0.5, 0.2), (-0.5, 0.2), (0.1, 0.4)):
        reach = stats.norm.ppf(0.975) * se
        wanted = 2 * stats.norm.sf(abs(difference) / se)
        assert p_of_interval(difference, difference - reach, difference + reach) == pytest.approx(wanted)
    assert p_of_interval(0.3, 0.0, 0.4) == pytest.approx(0.05)  # lopsided: the near end alone counts
    assert (p_of_interval(0.0, -1, 1), p_of_interval(0.5, 0.5, 0.5)) == (1.0, 0.0)
