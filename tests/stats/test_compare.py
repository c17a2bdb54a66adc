import math

import pytest
from scipy import stats

from llmops.stats.compare import paired_difference
from llmops.stats.tango import tango


def pairs(fixed, broke, same):
    ours = [1.0] * fixed + [0.0] * broke + [1.0] * same
    theirs = [0.0] * fixed + [1.0] * broke + [1.0] * same
    return ours, theirs


def test_paired_proportions_get_the_score_interval():
    found = paired_difference(*pairs(fixed=26, broke=4, same=18))
    known = tango(26, 4, 48)
    assert (found.low, found.high, found.se) == (known.low, known.high, known.se)
    assert found.value == pytest.approx(22 / 48)
    assert (found.fixed, found.broke, found.n, found.method) == (26, 4, 48, "tango")


def test_no_change_in_any_pair_is_no_proof_of_no_difference():
    found = paired_difference(*pairs(0, 0, 20))
    assert found.value == 0
    assert found.low == pytest.approx(-found.high)
    assert found.high > 0.05


def test_other_values_get_the_paired_t_interval_of_scipy():
    ours, theirs = [0.3, 0.8, 0.5, 0.9], [0.1, 0.9, 0.2, 0.4]
    known = stats.ttest_rel(ours, theirs).confidence_interval(0.95)
    found = paired_difference(ours, theirs)
    assert (found.low, found.high) == pytest.approx((known.low, known.high))
    assert (found.fixed, found.broke, found.method) == (3, 1, "t")


def test_swapping_the_sides_mirrors_the_interval():
    ours, theirs = pairs(7, 2, 30)
    there, back = paired_difference(ours, theirs), paired_difference(theirs, ours)
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))


def test_differences_that_are_all_the_same_have_no_interval():
    found = paired_difference([0.5, 0.7, 0.9], [0.4, 0.6, 0.8])
    assert found.value == pytest.approx(0.1)
    assert (found.low, found.high) == (None, None)
    assert "no spread" in found.reason


def test_clusters_without_any_change_count_as_one_pair_each():
    found = paired_difference([1.0] * 40, [1.0] * 40, [str(i % 8) for i in range(40)])
    assert found.high == pytest.approx(tango(0, 0, 8).high)
    assert (found.n, found.method) == (40, "tango over clusters")


def test_clustered_pairs_are_less_certain_than_single_ones():
    ours, theirs = pairs(20, 0, 20)
    clusters = [str(i // 10) for i in range(40)]
    clustered, single = paired_difference(ours, theirs, clusters), paired_difference(ours, theirs)
    assert clustered.method == "clustered t"
    assert clustered.high - clustered.low > 2 * (single.high - single.low)


def test_fewer_than_two_pairs_have_no_interval():
    assert paired_difference([], []).value is None
    one = paired_difference([1.0], [0.0])
    assert (one.value, one.low, one.fixed) == (1.0, None, 1)


def test_columns_of_different_length_are_refused():
    with pytest.raises(ValueError, match="2 values against 1"):
        paired_difference([1, 0], [1])
    with pytest.raises(ValueError, match="finite"):
        paired_difference([1, math.nan], [1, 0])
