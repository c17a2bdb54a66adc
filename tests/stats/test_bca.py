import numpy as np
import pytest
from scipy import stats

from llmops.stats.bca import bca
from llmops.stats.bootstrap import Resampling, bootstrap


def mean_of(values):
    column = np.asarray(values, dtype=float)[:, None]
    return lambda counts: (counts @ column) / counts.sum(axis=1, keepdims=True)


def test_the_limits_are_scipys():
    values = np.random.default_rng(0).exponential(1, 60)
    (found,) = bca(mean_of(values), [1] * 60, Resampling(20_000, seed=1))
    known = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method="BCa", rng=np.random.default_rng(2)
    ).confidence_interval
    assert (found.low, found.high) == pytest.approx((known.low, known.high), abs=0.012)
    assert found.method == "bca"


def test_kinds_count_as_often_as_they_are():
    values = [0.0, 1.0, 5.0]
    (grouped,) = bca(mean_of(values), [30, 20, 10], Resampling(20_000, seed=3))
    (single,) = bca(mean_of(np.repeat(values, [30, 20, 10])), [1] * 60, Resampling(20_000, seed=4))
    assert (grouped.low, grouped.high) == pytest.approx((single.low, single.high), abs=0.03)


def test_a_skewed_mean_is_corrected_towards_its_long_tail():
    values = np.random.default_rng(5).exponential(1, 40)
    how = Resampling(4000, seed=1)
    (plain,) = bootstrap(mean_of(values), [1] * 40, how.seed, how.resamples)
    (found,) = bca(mean_of(values), [1] * 40, how)
    assert found.low > plain.low
    assert found.high > plain.high


def test_more_kinds_than_groups_have_the_same_acceleration():
    values = np.random.default_rng(6).exponential(1, 3000)
    (found,) = bca(mean_of(values), [1] * 3000, Resampling(1000, seed=1))
    known = stats.skew(values) / (6 * np.sqrt(3000))
    from llmops.stats.bca import _accelerations

    assert _accelerations(mean_of(values), np.ones(3000, dtype=np.int64))[0] == pytest.approx(known, rel=0.4)
    assert found.low < values.mean() < found.high


def test_where_the_bootstrap_has_no_interval_there_is_none_to_correct():
    (found,) = bca(mean_of([2.0, 2.0]), [5, 5], Resampling())
    assert (found.low, found.reason) == (None, "no spread between the resamples, so no telling how sure")
