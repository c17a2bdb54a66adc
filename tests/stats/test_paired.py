"""Paired tests, beside scipy's and by how often they reject what is true."""

import itertools

import numpy as np
import pytest
from scipy import stats

from llmops.stats.bootstrap import Resampling
from llmops.stats.paired import mcnemar, resampled, sign_flips, wilcoxon


def binary_pairs(fixed, broke, same):
    return [1.0] * fixed + [0.0] * broke + [1.0] * same, [0.0] * fixed + [1.0] * broke + [1.0] * same


def normal_pairs(n, shift, seed=0):
    generator = np.random.default_rng(seed)
    theirs = generator.normal(0, 1, n)
    return theirs + generator.normal(shift, 1, n), theirs


def test_mcnemar_counts_the_pairs_that_differ_alone():
    found = mcnemar(*binary_pairs(12, 4, 84))
    assert found.p_value == pytest.approx(stats.binomtest(12, 16).pvalue)
    assert found.effect == 3
    exact = stats.binomtest(12, 16).proportion_ci(0.95, method="exact")
    assert found.effect_low == pytest.approx(exact.low / (1 - exact.low))
    assert found.effect_high == pytest.approx(exact.high / (1 - exact.high))
    assert mcnemar(*binary_pairs(12, 4, 0)).p_value == found.p_value


def test_an_odds_ratio_without_end_is_none_and_says_so():
    found = mcnemar(*binary_pairs(6, 0, 10))
    assert (found.effect, found.effect_high) == (None, None)
    assert found.effect_low > 0
    assert "nothing broke" in found.reason


def test_mcnemar_refuses_values_between():
    with pytest.raises(ValueError, match="values of 0 and 1"):
        mcnemar([0.5, 1.0], [0.0, 1.0])


@pytest.mark.parametrize("n", [9, 40, 150])
def test_signed_ranks_without_ties_are_scipys_exact_ones(n):
    ours, theirs = normal_pairs(n, 0.2)
    known = stats.wilcoxon(ours, theirs, method="exact").pvalue
    assert wilcoxon(ours, theirs).p_value == pytest.approx(known, rel=1e-9)


def test_signed_ranks_with_ties_are_exact_too():
    ours, theirs = [3, 1, 2, 2, 0, 4, 1, 5], [1, 2, 0, 1, 1, 1, 1, 2]
    differences = np.array([a - b for a, b in zip(ours, theirs, strict=True) if a != b])
    ranks = stats.rankdata(np.abs(differences))
    sums = [sum(r for r, plus in zip(ranks, signs, strict=True) if plus)
            for signs in itertools.product([0, 1], repeat=len(ranks))]  # fmt: skip
    seen = ranks[differences > 0].sum()
    least = min(np.mean(np.array(sums) <= seen), np.mean(np.array(sums) >= seen))
    found = wilcoxon(ours, theirs)
    assert found.p_value == pytest.approx(min(1.0, 2 * least))
    assert found.effect == pytest.approx((2 * seen - ranks.sum()) / ranks.sum())


def test_many_signed_ranks_are_taken_as_normal():
    ours, theirs = normal_pairs(400, 0.1)
    assert wilcoxon(ours, theirs).p_value == pytest.approx(
        stats.wilcoxon(ours, theirs, method="asymptotic").pvalue
    )


def test_sign_flips_agree_with_scipys_permutation_test():
    ours, theirs = normal_pairs(12, 0.5)

    def mean(x, y, axis):
        return np.mean(x - y, axis=axis)

    every = stats.permutation_test(
        (ours, theirs), mean, permutation_type="samples", n_resamples=2**13, vectorized=True
    )
    found = sign_flips(ours, theirs, seed=1, resamples=40_000)
    assert found.p_value == pytest.approx(every.pvalue, abs=0.01)
    assert found.effect == pytest.approx((ours - theirs).mean() / (ours - theirs).std(ddof=1))


def test_the_limits_of_d_z_are_those_of_the_noncentral_t():
    ours, theirs = normal_pairs(30, 0.4)
    found = sign_flips(ours, theirs, seed=0, resamples=100)
    t = found.effect * np.sqrt(30)
    assert stats.nct.cdf(t, 29, found.effect_low * np.sqrt(30)) == pytest.approx(0.975, abs=1e-6)
    assert stats.nct.cdf(t, 29, found.effect_high * np.sqrt(30)) == pytest.approx(0.025, abs=1e-6)


def test_differences_that_are_all_the_same_have_no_standardised_effect():
    found = sign_flips([2.0] * 8, [1.0] * 8, seed=0)
    assert found.effect is None
    assert "no spread" in found.reason
    assert found.p_value == pytest.approx(2 / 2**8, abs=0.003)


def test_the_paired_bootstrap_gives_the_difference_with_its_interval():
    ours, theirs = normal_pairs(200, 0.15)
    found = resampled(ours, theirs, Resampling(4000, seed=3))
    t = stats.ttest_rel(ours, theirs)
    known = t.confidence_interval(0.95)
    assert found.effect == pytest.approx(float(np.mean(ours - theirs)))
    assert (found.effect_low, found.effect_high) == pytest.approx((known.low, known.high), abs=0.015)
    assert found.p_value == pytest.approx(t.pvalue, abs=0.015)


@pytest.mark.parametrize(
    "test",
    [mcnemar, wilcoxon, lambda a, b: sign_flips(a, b, 0), lambda a, b: resampled(a, b, Resampling())],
)
def test_what_does_not_differ_speaks_against_nothing(test):
    same = test([1.0, 0.0, 1.0], [1.0, 0.0, 1.0])
    assert (same.p_value, same.effect, same.reason) == (1.0, None, "no pair differs")
    nothing = test([], [])
    assert (nothing.p_value, nothing.reason) == (None, "no pairs")
    with pytest.raises(ValueError, match="2 values against 1"):
        test([1.0, 0.0], [1.0])


@pytest.mark.parametrize(
    "test", [mcnemar, wilcoxon, lambda a, b: sign_flips(a, b, 7, 400)], ids=["mcnemar", "wilcoxon", "flips"]
)
def test_what_is_true_is_rejected_as_seldom_as_it_says(test):
    generator = np.random.default_rng(5)
    rejected = sum(test(*(generator.random((2, 60)) < 0.7).astype(float)).p_value <= 0.05 for _ in range(400))
    assert rejected / 400 < 0.075
