"""Agreement of raters, held to published examples, to scikit-learn and scipy, and to simulated coverage."""

import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, cohen_kappa_score

from llmops.stats.alpha import alpha
from llmops.stats.bootstrap import Resampling
from llmops.stats.correlation import between_groups, correlation, within_groups
from llmops.stats.kappa import kappa
from llmops.stats.orders import orders, self_consistency
from llmops.stats.recalls import recalls
from llmops.stats.slope import length_slope

KRIPPENDORFF = [
    [1, 1, 1], [2, 2, 3, 2], [3, 3, 3, 3], [3, 3, 3, 3], [2, 2, 2, 2], [1, 2, 3, 4],
    [4, 4, 4, 4], [1, 1, 2, 1], [2, 2, 2, 2], [5, 5, 5], [1, 1], [3],
]  # fmt: skip
"""The four observers of Krippendorff 2011, Computing Krippendorff's Alpha-Reliability, section D."""


@pytest.mark.parametrize(
    ("weights", "theirs"), [("none", None), ("linear", "linear"), ("quadratic", "quadratic")]
)
def test_kappa_is_that_of_scikit_learn(weights, theirs):
    draw = np.random.default_rng(3)
    a = draw.integers(1, 6, size=80)
    b = np.where(draw.random(80) < 0.6, a, draw.integers(1, 6, size=80))
    found = kappa(a.astype(float).tolist(), b.astype(float).tolist(), weights)
    assert found.value == pytest.approx(cohen_kappa_score(a, b, weights=theirs), abs=1e-12)
    assert found.low < found.value < found.high


def test_kappa_and_its_standard_error_are_those_of_a_worked_example():
    # Fleiss, Levin and Paik 2003, Statistical Methods for Rates and Proportions, table 18.1:
    # 100 subjects, kappa 0.676, standard error 0.088.
    cells = {"pp": 75, "pn": 1, "po": 4, "np": 5, "nn": 4, "no": 1, "op": 0, "on": 0, "oo": 10}
    a = [key[0] for key, count in cells.items() for _ in range(count)]
    b = [key[1] for key, count in cells.items() for _ in range(count)]
    found = kappa(a, b)
    assert found.value == pytest.approx(0.676, abs=5e-4)
    assert found.se == pytest.approx(0.088, abs=5e-4)


def test_kappa_of_one_class_is_undefined_and_says_so():
    assert kappa(["yes"] * 9, ["yes"] * 9) == (
        None,
        9,
        None,
        None,
        None,
        None,
        "undefined: both gave 'yes' to every example",
    )
    assert kappa([], []).reason == "undefined: no pairs"


def test_full_agreement_leaves_doubt_that_shrinks_with_the_examples():
    few, many = (kappa(["a", "b"] * n, ["a", "b"] * n) for n in (5, 500))
    assert few.value == many.value == 1.0
    assert few.low < 0.5 < 0.98 < many.low < 1.0


@pytest.mark.parametrize(
    ("level", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)]
)
def test_alpha_is_that_of_krippendorffs_example(level, published):
    found = alpha(KRIPPENDORFF, level)
    assert found.value == pytest.approx(published, abs=5e-4)
    assert found.n == 11, "a unit with one value says nothing of agreement"
    assert found.low < found.value <= found.high


def test_alpha_of_one_class_or_of_one_rater_is_undefined():
    assert alpha([["a", "a"], ["a", "a"]]).reason == "undefined: every rating is 'a'"
    assert alpha([["a"], ["b"]]).reason == "undefined: nothing was rated by two"


@pytest.mark.parametrize("kind", ["pearson", "spearman", "kendall"])
def test_a_correlation_is_scipys_and_a_constant_has_none(kind):
    draw = np.random.default_rng(5)
    x = draw.integers(0, 6, size=50).astype(float)
    y = x + draw.normal(size=50)
    theirs = {"pearson": stats.pearsonr, "spearman": stats.spearmanr, "kendall": stats.kendalltau}[kind](x, y)
    found = correlation(x, y, kind)
    assert found.value == pytest.approx(theirs.statistic, abs=1e-12)
    if kind == "pearson":
        assert (found.low, found.high) == pytest.approx(tuple(theirs.confidence_interval()), abs=1e-9)
    assert correlation(x, np.ones(50), kind).reason == "undefined: all values of a column are the same"


def test_groups_without_a_correlation_are_counted_and_left_out():
    ours, theirs = [1, 2, 3, 1, 2, 3, 5, 5], [1, 2, 3, 3, 2, 1, 1, 2]
    found = within_groups(ours, theirs, list("aaabbbcc"))
    assert (found.mean.value, found.mean.n, found.undefined) == (0.0, 2, 1)
    assert between_groups(ours, theirs, list("aaabbbcc")).value == pytest.approx(-1.0)


def test_balanced_accuracy_is_scikit_learns_and_is_none_for_one_class():
    ours, truth = list("yynnyyyn"), list("yynnnnyy")
    found = recalls(ours, truth)
    assert found.balanced.value == pytest.approx(balanced_accuracy_score(truth, ours))
    assert found.by_class["y"].value == 0.75
    assert found.balanced.low < found.balanced.value < found.balanced.high
    assert recalls(["y"], ["y"]).balanced.reason == "undefined: the truth has only one class"


def test_a_judge_that_always_takes_the_first_place_is_never_consistent():
    found = orders(["1"] * 20, ["2"] * 20)
    assert (found.consistent.value, found.toward_first.value, found.first) == (0.0, 1.0, 20)
    assert orders(["1", "tie"], ["1", "1"]).consistent.value == 0.5


def test_self_consistency_is_the_share_of_equal_repeats():
    assert self_consistency([["a", "a", "b"], ["a", "a", "a"], ["b"]]).value == pytest.approx((1 / 3 + 1) / 2)
    assert self_consistency([["a"]]).reason == "nothing was judged twice"


def test_the_length_slope_is_scikit_learns_and_separation_is_told():
    draw = np.random.default_rng(7)
    lengths, labels = draw.normal(0, 40, size=400), draw.integers(0, 2, size=400).astype(float)
    verdicts = draw.random(400) < 1 / (1 + np.exp(-(0.02 * lengths + labels - 0.5)))
    found = length_slope(verdicts, lengths, labels)
    theirs = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(
        np.column_stack([lengths, labels]), verdicts
    )
    assert found.value == pytest.approx(theirs.coef_[0][0], rel=1e-4)
    assert found.low < 0.02 < found.high
    assert length_slope([0, 0, 1, 1], [1, 2, 3, 4], [0, 0, 1, 1]).value is None
    assert length_slope([1, 1], [1, 2], [0, 1]).reason == "undefined: every verdict is the same"


def coverage(make, trials: int = 400) -> float:
    found = [make(np.random.default_rng(seed)) for seed in range(trials)]
    return sum(low is not None and low <= truth <= high for truth, low, high in found) / trials


def rated(draw: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    truth = draw.random(n) < 0.4
    return truth, np.where(draw.random(n) < 0.15, ~truth, truth)


CHANCE = 0.4 * (0.4 * 0.85 + 0.6 * 0.15) + 0.6 * (0.6 * 0.85 + 0.4 * 0.15)


def test_the_interval_of_kappa_holds_kappa_19_times_in_20():
    def one(draw):
        a, b = rated(draw, 60)
        found = kappa(a.astype(str).tolist(), b.astype(str).tolist())
        return (0.85 - CHANCE) / (1 - CHANCE), found.low, found.high

    assert 0.925 <= coverage(one) <= 0.975


@pytest.mark.parametrize("kind", ["pearson", "spearman", "kendall"])
def test_the_interval_of_a_correlation_holds_it_19_times_in_20(kind):
    truth = {"pearson": 0.6, "spearman": 6 / np.pi * np.arcsin(0.3), "kendall": 2 / np.pi * np.arcsin(0.6)}

    def one(draw):
        x, y = draw.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], size=60).T
        found = correlation(x, y, kind)
        return truth[kind], found.low, found.high

    assert 0.925 <= coverage(one) <= 0.98


def test_the_interval_of_balanced_accuracy_holds_it_19_times_in_20():
    def one(draw):
        truth, ours = rated(draw, 60)
        found = recalls(ours.astype(str).tolist(), truth.astype(str).tolist()).balanced
        return 0.85, found.low, found.high

    assert 0.925 <= coverage(one) <= 0.985


def test_the_interval_of_the_length_slope_holds_it_19_times_in_20():
    def one(draw):
        lengths, labels = draw.normal(size=150), draw.integers(0, 2, size=150).astype(float)
        verdicts = draw.random(150) < 1 / (1 + np.exp(-(0.5 * lengths + labels - 0.5)))
        found = length_slope(verdicts, lengths, labels)
        return 0.5, found.low, found.high

    assert 0.92 <= coverage(one) <= 0.98


def test_the_interval_of_alpha_holds_it_nearly_19_times_in_20():

    def one(draw):
        truth = draw.random(80) < 0.4
        raters = [np.where(draw.random(80) < 0.15, ~truth, truth) for _ in range(2)]
        found = alpha([[str(a), str(b)] for a, b in zip(*raters, strict=True)], how=Resampling(400, 0))
        share = 0.4 * 0.85 + 0.6 * 0.15
        return 1 - (2 * 0.85 * 0.15) / (2 * share * (1 - share)), found.low, found.high

    assert 0.91 <= coverage(one, 300) <= 0.98
