import numpy as np
import pytest

from llmops.stats.bootstrap import bootstrap


def mean_of(values):
    return lambda counts: (counts @ np.asarray(values)[:, None]) / counts.sum(axis=1, keepdims=True)


def test_the_bootstrap_of_a_mean_agrees_with_its_standard_error():
    values = np.random.default_rng(0).normal(5, 2, 400)
    (found,) = bootstrap(mean_of(values), [1] * 400, seed=1)
    assert found.value == pytest.approx(values.mean())
    assert found.se == pytest.approx(values.std(ddof=1) / 20, rel=0.06)
    assert found.high - found.low == pytest.approx(2 * 1.96 * found.se, rel=0.06)
    assert (found.n, found.method) == (400, "bootstrap")


def test_the_same_seed_gives_the_same_interval_and_another_does_not():
    first, again, other = (bootstrap(mean_of([0, 1, 2, 3]), [2, 3, 1, 4], seed)[0] for seed in (1, 1, 2))
    assert first == again
    assert first.low != other.low or first.se != other.se


def test_examples_of_one_kind_may_be_counted_together():
    (grouped,) = bootstrap(mean_of([0.0, 1.0]), [30, 70], seed=3, resamples=20_000)
    (single,) = bootstrap(mean_of([0.0] * 30 + [1.0] * 70), [1] * 100, seed=3, resamples=20_000)
    assert grouped.value == single.value
    assert grouped.se == pytest.approx(single.se, rel=0.03)


def test_a_statistic_that_never_moves_has_no_interval():
    (found,) = bootstrap(mean_of([2.0, 2.0]), [5, 5], seed=1)
    assert (found.value, found.low) == (2.0, None)
    assert "no spread" in found.reason


def test_one_example_has_no_interval():
    (found,) = bootstrap(mean_of([2.0]), [1], seed=1)
    assert (found.value, found.low, found.reason) == (2.0, None, "one value tells nothing of the spread")


def test_no_examples_are_refused():
    with pytest.raises(ValueError, match="sum to 0"):
        bootstrap(mean_of([1.0]), [0], seed=1)
