import numpy as np
import pytest
from scipy import stats

from llmops.stats.moved import least_p, reform, shift


def single(values):
    return [[float(value)] for value in values]


def test_few_pairs_get_the_exact_p_value_of_scipys_permutation_test():
    then, now = [3.1, 2.0, 4.4, 1.0, 2.2, 5.0, 3.3], [4.0, 2.0, 5.1, 2.5, 2.0, 7.0, 3.9]
    known = stats.permutation_test(
        (now, then), lambda a, b, axis: (a - b).mean(axis=axis), permutation_type="samples", vectorized=True
    )
    found = shift(single(then), single(now))
    assert found.p_value == pytest.approx(known.pvalue)
    assert (found.n, found.differ) == (7, 6)
    assert (found.then, found.now) == pytest.approx((np.mean(then), np.mean(now)))


def test_of_values_of_0_and_1_it_is_mcnemars_exact_test():
    found = shift(single([0] * 8 + [1] * 2 + [1] * 20), single([1] * 8 + [0] * 2 + [1] * 20))
    assert found.p_value == pytest.approx(stats.binomtest(2, 10).pvalue)


def test_random_swaps_come_near_the_exact_p_value():
    rng = np.random.default_rng(1)
    then, now = rng.normal(0, 1, 40), rng.normal(0.35, 1, 40)
    known = stats.ttest_rel(now, then).pvalue
    assert shift(single(then), single(now)).p_value == pytest.approx(known, abs=0.02)


def test_repeats_are_dealt_out_within_their_example_only():
    # Two examples far apart; each moved by nothing that its own repeats do not show.
    then = [[0.0, 1.0, 0.5], [100.0, 101.0, 100.5]]
    known = shift(then, [[0.0, 1.0, 0.5], [100.0, 101.0, 100.5]]).p_value
    assert known == 1.0
    # Every value of now is above every one of then: of 20 · 20 deals, two are as far apart.
    found = shift([[0.0, 1.0, 0.5], [0.0, 0.2, 0.4]], [[5.0, 6.0, 7.0], [5.0, 6.0, 7.0]])
    assert found.p_value == pytest.approx(2 / 400, abs=0.002)
    assert least_p([(3, 3), (3, 3)]) == pytest.approx(2 / 400)


def test_nothing_that_differs_is_no_sign_of_a_move():
    found = shift(single([1] * 30), single([1] * 30))
    assert (found.p_value, found.differ) == (1.0, 0)


def test_no_example_gives_a_reason_in_place_of_a_p_value():
    found = shift([], [])
    assert found.p_value is None
    assert found.reason


@pytest.mark.parametrize(("then", "now"), [([[1.0]], []), ([[]], [[1.0]]), ([[float("nan")]], [[1.0]])])
def test_what_is_no_pair_is_refused(then, now):
    with pytest.raises(ValueError, match=r"."):
        shift(then, now)


@pytest.mark.parametrize("n", [1, 5, 12, 13, 40])
def test_the_least_p_value_is_that_of_a_move_in_every_pair(n):
    found = shift(single([0.0] * n), single(range(1, n + 1)), resamples=999)
    assert found.p_value >= least_p([(1, 1)] * n, 999) - 1e-12
    if n <= 12:
        assert found.p_value == pytest.approx(least_p([(1, 1)] * n))


@pytest.mark.parametrize("repeats", [1, 3])
def test_of_what_did_not_move_it_says_moved_as_often_as_alpha_allows(repeats):
    rng, nights = np.random.default_rng(5), 600
    alarms = 0
    for night in range(nights):
        middle = rng.normal(0, 3, (15, 1))
        then, now = (middle + rng.lognormal(0, 1, (15, repeats)) for _ in "ab")
        alarms += shift(then.tolist(), now.tolist(), night, 400).p_value <= 0.05
    assert stats.binomtest(alarms, nights, 0.05).pvalue > 0.001


def test_features_of_which_each_answer_has_one_of_two_are_mcnemars_exact_test():
    then = [[{"yes"}]] * 9 + [[{"no"}]] * 3
    now = [[{"no"}]] * 8 + [[{"yes"}]] * 3 + [[{"no"}]]
    found = reform(then, now)
    fixed, broke = 2, 8
    assert found.shift.p_value == pytest.approx(stats.binomtest(broke, fixed + broke).pvalue)
    assert (found.shift.differ, found.shift.n) == (10, 12)


def test_the_feature_that_moved_most_is_named_with_its_shares():
    then = [[{"To", "short"}]] * 8 + [[{"No", "short"}]] * 2
    now = [[{"No", "short"}]] * 9 + [[{"No", "long"}]]
    found = reform(then, now)
    assert (found.feature, found.shift.then, found.shift.now) == ("No", 0.2, 1.0)
    assert found.shift.p_value < 0.02


@pytest.mark.slow
@pytest.mark.parametrize("repeats", [1, 3])
def test_of_answers_whose_words_are_drawn_as_before_it_says_moved_as_often_as_alpha_allows(repeats):
    generator, alarms = np.random.default_rng(5), 0
    for night in range(1000):
        chances = generator.dirichlet([0.5] * 6, size=20)
        sides = [
            [
                [{f"w{generator.choice(6, p=p)}", f"e{generator.integers(40)}"} for _ in range(repeats)]
                for p in chances
            ]
            for _ in range(2)
        ]
        alarms += reform(*sides, seed=night, resamples=400).shift.p_value <= 0.05
    assert alarms <= stats.binom.ppf(0.999, 1000, 0.05)
