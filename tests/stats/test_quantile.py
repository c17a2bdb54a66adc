import numpy as np
import pytest
from scipy import stats

from llmops.stats.quantile import quantile


def test_the_median_of_ten_lies_between_the_second_and_the_ninth():
    found = quantile([float(i) for i in range(1, 11)], 0.5)
    assert (found.value, found.low, found.high) == (5.5, 2.0, 9.0)
    assert found.method == "order statistics"


def test_scipys_quantile_test_gives_the_same_limits():
    values = np.random.default_rng(0).exponential(size=237)
    for q in (0.25, 0.5, 0.95):
        known = stats.quantile_test(values, q=0, p=q).confidence_interval(0.95)
        found = quantile(values, q)
        assert (found.low, found.high) == (known.low, known.high)


def test_an_upper_limit_of_the_95th_percentile_needs_72_values():
    few, enough = quantile(list(range(71)), 0.95), quantile(list(range(72)), 0.95)
    assert (few.high, few.reason) == (None, "71 values are too few for the upper limit")
    assert few.low is not None
    assert (enough.high, enough.reason) == (71.0, None)


def test_one_value_has_no_limits():
    found = quantile([2.0], 0.5)
    assert (found.value, found.low, found.high, found.method) == (2.0, None, None, None)


def test_no_values_have_no_quantile():
    assert quantile([], 0.5).value is None


@pytest.mark.parametrize("q", [0.0, 1.0, float("nan")])
def test_a_quantile_outside_0_and_1_is_refused(q):
    with pytest.raises(ValueError, match="between 0 and 1"):
        quantile([1.0], q)


@pytest.mark.parametrize("q", [0.5, 0.95])
def test_order_statistics_cover_at_least_95_percent(q):
    draws = np.random.default_rng(3).exponential(size=(2000, 200))
    truth = stats.expon.ppf(q)
    covered = np.mean([f.low <= truth <= f.high for f in (quantile(d, q) for d in draws)])
    assert 0.945 < covered < 0.98
