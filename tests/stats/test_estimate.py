import math

import numpy as np
import pytest
from scipy import stats

from llmops.stats.estimate import mean


def test_zeros_and_ones_get_the_wilson_interval_that_scipy_computes():
    for n in (2, 7, 50, 1319):
        for successes in {0, 1, n // 3, n}:
            found = mean([1.0] * successes + [0.0] * (n - successes))
            known = stats.binomtest(successes, n).proportion_ci(method="wilson")
            assert (found.low, found.high) == pytest.approx((known.low, known.high), abs=1e-12)
            assert (found.method, found.n, found.value) == ("wilson", n, successes / n)


def test_a_perfect_score_leaves_room_below_it_but_no_standard_error():
    found = mean([1.0] * 20)
    assert found.high == 1.0
    assert found.low == pytest.approx(0.8389, abs=1e-4)
    assert found.se is None


def test_other_values_get_the_t_interval_that_scipy_computes():
    values = [0.2, 0.5, 0.9, 0.4, 0.75]
    found = mean(values, confidence=0.9)
    low, high = stats.t.interval(0.9, 4, np.mean(values), stats.sem(values))
    assert (found.low, found.high, found.se) == pytest.approx((low, high, stats.sem(values)))
    assert found.method == "t"


def test_no_values_have_no_mean_and_say_so():
    found = mean([])
    assert (found.value, found.low, found.n, found.reason) == (None, None, 0, "no values")


@pytest.mark.parametrize("value", [1.0, 0.37])
def test_one_value_has_no_interval(value):
    found = mean([value])
    assert (found.value, found.low, found.high) == (value, None, None)
    assert found.reason


def test_equal_values_that_are_no_proportion_have_no_interval():
    found = mean([0.1 + 0.2, 0.3, 0.3])
    assert (found.se, found.low, found.high) == (None, None, None)
    assert "no spread" in found.reason


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_values_that_are_not_finite_are_refused(bad):
    with pytest.raises(ValueError, match=r"values\[1\]"):
        mean([0.0, bad])


def test_clustered_error_follows_millers_formula():
    values = np.array([1.0, 1, 0, 1, 0, 0, 1, 1, 0])
    clusters = list("aaabbbccd")
    found = mean(values, clusters)
    residuals = values - values.mean()
    sums = [sum(r for r, c in zip(residuals, clusters, strict=True) if c == name) for name in "abcd"]
    assert found.se == pytest.approx(math.sqrt(4 / 3 * sum(s * s for s in sums)) / 9)
    assert found.low == pytest.approx(max(0, values.mean() - stats.t.ppf(0.975, 3) * found.se))
    assert (found.high, found.method) == (1.0, "clustered t")


def test_clusters_of_one_example_each_change_nothing():
    values = [0.1, 0.5, 0.7, 0.9]
    assert mean(values, list("abcd")) == mean(values)
    assert mean([1, 0, 1, 1], list("abcd")) == mean([1, 0, 1, 1])


def test_one_cluster_has_no_interval():
    assert mean([1, 0, 1], ["a"] * 3).low is None
    assert mean([1, 1, 1], ["a"] * 3).low is None


def test_clusters_that_are_all_right_count_as_one_example_each():
    found = mean([1.0] * 40, [str(i % 10) for i in range(40)])
    assert (found.low, found.high) == pytest.approx(
        tuple(stats.binomtest(10, 10).proportion_ci(method="wilson")), abs=1e-9
    )
    assert (found.n, found.method) == (40, "wilson over clusters")


def test_clusters_whose_residuals_cancel_have_no_interval():
    assert mean([0.1, 0.3, 0.3, 0.1], list("aabb")).low is None


def test_clusters_must_be_one_for_each_value():
    with pytest.raises(ValueError, match="2 clusters for 3 values"):
        mean([1, 0, 1], ["a", "b"])


@pytest.mark.parametrize("n", [50, 100, 200])
def test_wilson_covers_95_percent_on_average_over_proportions(n):
    found = [mean([1.0] * k + [0.0] * (n - k)) for k in range(n + 1)]
    low, high = np.array([f.low for f in found]), np.array([f.high for f in found])
    proportions = np.linspace(0.05, 0.95, 181)
    covered = [stats.binom.pmf(np.arange(n + 1), n, p)[(low <= p) & (p <= high)].sum() for p in proportions]
    assert 0.945 < np.mean(covered) < 0.96
    assert min(covered) > 0.915


def test_t_covers_95_percent():
    draws = np.random.default_rng(1).normal(3, 2, size=(3000, 20))
    assert 0.94 < np.mean([f.low <= 3 <= f.high for f in map(mean, draws)]) < 0.96


def test_clustered_t_covers_95_percent_where_plain_intervals_do_not():
    generator = np.random.default_rng(2)
    clusters = np.repeat([str(i) for i in range(40)], 5)
    hits = np.zeros(2)
    for _ in range(1000):
        chance = np.repeat(generator.beta(1, 1, 40), 5)
        values = (generator.random(200) < chance).astype(float)
        for i, found in enumerate((mean(values, clusters.tolist()), mean(values))):
            hits[i] += found.low <= 0.5 <= found.high
    assert 0.935 < hits[0] / 1000 < 0.968
    assert hits[1] / 1000 < 0.85
