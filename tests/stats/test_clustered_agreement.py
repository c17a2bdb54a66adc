"""Agreement where answers share a source: copies tell nothing new, and intervals hold what they say."""

import numpy as np
import pytest

from llmops.stats.alpha import alpha
from llmops.stats.bootstrap import Resampling
from llmops.stats.correlation import correlation
from llmops.stats.interval import Interval
from llmops.stats.kappa import kappa
from llmops.stats.orders import orders, self_consistency
from llmops.stats.recalls import recalls
from llmops.stats.slope import length_slope

COPIES = 4


def rated(draw: np.random.Generator, sources: int) -> tuple[list[str], list[str], list[str]]:
    """Verdicts and labels of four answers to each source: what is said of one is often said of all."""
    truth = np.repeat(draw.random(sources) < 0.4, COPIES)
    slips = np.where(
        draw.random(sources * COPIES) < 0.8,
        np.repeat(draw.random(sources), COPIES),
        draw.random(sources * COPIES),
    )
    ours = np.where(slips < 0.15, ~truth, truth)
    return (
        ours.astype(str).tolist(),
        truth.astype(str).tolist(),
        np.repeat(range(sources), COPIES).astype(str).tolist(),
    )


def coverage(make, trials: int = 400) -> float:
    found = [make(np.random.default_rng(seed)) for seed in range(trials)]
    return sum(i.low is not None and i.low <= truth <= i.high for truth, i in found) / trials


CHANCE = 0.4 * (0.4 * 0.85 + 0.6 * 0.15) + 0.6 * (0.6 * 0.85 + 0.4 * 0.15)
FIGURES = {
    "accuracy": (0.85, lambda a, b, c: recalls(a, b, clusters=c).accuracy),
    "balanced": (0.85, lambda a, b, c: recalls(a, b, clusters=c).balanced),
    "kappa": ((0.85 - CHANCE) / (1 - CHANCE), lambda a, b, c: kappa(a, b, clusters=c)),
    "pearson": (
        0.24 * 0.7 / np.sqrt(0.24 * 0.43 * 0.57),
        lambda a, b, c: correlation([x == "True" for x in a], [x == "True" for x in b], clusters=c),
    ),
    "alpha": (
        1 - 0.15 / (2 * 0.415 * 0.585),
        lambda a, b, c: alpha(list(zip(a, b, strict=True)), how=Resampling(400, 0), clusters=c),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("figure", FIGURES)
def test_the_clustered_interval_holds_the_figure_nearly_19_times_in_20(figure):
    truth, tell = FIGURES[figure]
    share = coverage(lambda draw: (truth, tell(*rated(draw, 100))))
    assert 0.91 <= share <= 0.985, share


@pytest.mark.slow
def test_an_interval_that_takes_copies_for_answers_holds_kappa_too_seldom():
    truth, _ = FIGURES["kappa"]
    assert coverage(lambda draw: (truth, kappa(*rated(draw, 100)[:2]))) < 0.8


@pytest.mark.parametrize("weights", ["none", "linear", "quadratic"])
def test_copies_of_an_answer_tell_nothing_new_of_kappa(weights):
    draw = np.random.default_rng(1)
    a = draw.integers(1, 5, size=80).astype(float)
    b = np.where(draw.random(80) < 0.7, a, draw.integers(1, 5, size=80)).astype(float)
    once = kappa(a.tolist(), b.tolist(), weights)
    of = np.repeat(range(80), COPIES).astype(str).tolist()
    found = kappa(np.repeat(a, COPIES).tolist(), np.repeat(b, COPIES).tolist(), weights, clusters=of)
    assert (found.value, found.n, found.method) == (pytest.approx(once.value), 320, "clustered")
    assert found.se == pytest.approx(once.se * np.sqrt(80 / 79))
    assert kappa(a.tolist(), b.tolist(), weights, clusters=[str(i) for i in range(80)]) == once


def test_full_agreement_is_as_sure_as_there_are_sources():
    of = [str(i // COPIES) for i in range(80)]
    found, few = kappa(["a", "b"] * 40, ["a", "b"] * 40, clusters=of), kappa(["a", "b"] * 10, ["a", "b"] * 10)
    assert (found.value, found.low, found.n) == (1.0, pytest.approx(few.low), 80)


def test_copies_tell_nothing_new_of_recalls_alpha_and_correlation():
    draw = np.random.default_rng(2)
    truth = (draw.random(60) < 0.5).astype(float)
    ours = np.where(draw.random(60) < 0.2, 1 - truth, truth)
    of = np.repeat(range(60), COPIES).astype(str).tolist()
    a, b = np.repeat(ours, COPIES), np.repeat(truth, COPIES)
    once = recalls([*map(str, ours)], [*map(str, truth)], clusters=[str(i) for i in range(60)])
    found = recalls([*map(str, a)], [*map(str, b)], clusters=of)
    assert found.balanced.value == pytest.approx(once.balanced.value)
    hits = ours == truth
    parts = [hits[truth == each].var() / (truth == each).sum() for each in (0.0, 1.0)]
    assert found.balanced.se == pytest.approx(np.sqrt(sum(parts)) / 2 * np.sqrt(60 / 59))
    own = correlation(ours, truth, "kendall", clusters=[str(i) for i in range(60)])
    assert correlation(a, b, "kendall", clusters=of).low == pytest.approx(own.low, abs=1e-9)
    units = list(zip(map(str, a), map(str, b), strict=True))
    wide, narrow = alpha(units, clusters=of), alpha(units)
    assert wide.value == narrow.value
    assert wide.high - wide.low == pytest.approx(2 * (narrow.high - narrow.low), rel=0.15)


def test_one_source_tells_nothing_of_the_spread():
    a, b, one = ["x", "y", "y", "y"], ["x", "y", "x", "y"], ["s"] * 4
    assert kappa(a, b, clusters=one).reason == "one cluster tells nothing of the spread"
    assert recalls(a, b, clusters=one).balanced.low is None
    assert correlation([1, 2, 3, 5], [1, 2, 4, 3], clusters=one).reason.startswith("rests on one source")
    assert length_slope([1, 2, 2, 4], [1, 2, 3, 5], [0, 0, 1, 1], clusters=one).low is None


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pearson", "spearman", "kendall"])
def test_the_jackknifed_interval_of_grades_holds_the_correlation_19_times_in_20(kind):
    def grades(draw, n):
        x, y = draw.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], size=n).T
        return np.clip(np.round(x * 1.2 + 3), 1, 5), np.clip(np.round(y * 1.2 + 3), 1, 5)

    truth = correlation(*grades(np.random.default_rng(99), 100_000), kind).value
    of = [str(i) for i in range(80)]

    def one(draw):
        return truth, correlation(*grades(draw, 80), kind, clusters=of)

    assert 0.92 <= coverage(one, 300) <= 0.98


def sloped(draw: np.random.Generator, sources: int, binary: bool) -> Interval:
    n = sources * COPIES
    shared = np.repeat(draw.normal(size=sources), COPIES)
    lengths = np.repeat(draw.normal(size=sources), COPIES) + 0.3 * draw.normal(size=n)
    labels = draw.integers(0, 2, size=n).astype(float)
    of = np.repeat(range(sources), COPIES).astype(str).tolist()
    if binary:  # four copies of one verdict
        verdicts = np.repeat(draw.random(sources), COPIES) < 1 / (1 + np.exp(-(0.5 * lengths + labels - 0.5)))
    else:
        verdicts = 3 + 0.5 * lengths + labels + shared + 0.3 * draw.normal(size=n)
    return length_slope(verdicts.astype(float), lengths, labels, clusters=of)


@pytest.mark.slow
@pytest.mark.parametrize("binary", [True, False])
def test_the_clustered_interval_of_the_length_slope_holds_it_19_times_in_20(binary):
    assert 0.915 <= coverage(lambda draw: (0.5, sloped(draw, 100, binary))) <= 0.98


def test_the_slope_of_grades_is_that_of_least_squares():
    draw = np.random.default_rng(3)
    lengths, labels = draw.normal(size=60), draw.integers(1, 6, size=60).astype(float)
    grades = labels + 0.4 * lengths + draw.normal(size=60)
    found = length_slope(grades, lengths, labels)
    design = np.column_stack([np.ones(60), lengths, labels])
    weights, *_ = np.linalg.lstsq(design, grades, rcond=None)
    rest, bread = grades - design @ weights, np.linalg.inv(design.T @ design)
    robust = bread @ (design.T * rest**2 @ design) @ bread * 60 / 59  # White 1980
    assert (found.value, found.se) == (pytest.approx(weights[1]), pytest.approx(np.sqrt(robust[1, 1])))
    assert length_slope(labels, lengths, labels).reason.startswith("undefined: length and label tell every")
    assert (
        length_slope([1.0, 2.0], [1.0, 2.0], [0.0, 1.0]).reason == "undefined: 2 verdicts for 3 coefficients"
    )


def test_pairs_of_one_source_are_less_sure_than_as_many_of_their_own():
    given, swapped = ["1", "1", "2", "1"] * 20, ["1", "2", "2", "2"] * 20
    of = [str(i % 8) for i in range(80)]
    alone, together = orders(given, swapped), orders(given, swapped, clusters=of)
    assert alone.toward_first.value == together.toward_first.value == 0.5
    assert together.consistent.value == 0.5
    assert together.toward_first.low < alone.toward_first.low
    assert self_consistency([["a", "a"], ["a", "b"], ["c"]], clusters=["x", "y", "y"]).value == 0.5


@pytest.mark.slow
def test_the_intervals_of_position_and_of_repeats_hold_what_they_say():
    def position(draw, what):
        kinds = draw.choice(3, p=[0.6, 0.3, 0.1], size=120)
        given = np.array(["1", "1", "2"])[kinds].tolist()
        swapped = np.array(["1", "2", "1"])[kinds].tolist()
        return getattr(orders(given, swapped), what)

    def repeats(draw):
        return self_consistency([draw.choice(["a", "b"], p=[0.8, 0.2], size=3).tolist() for _ in range(80)])

    assert 0.925 <= coverage(lambda d: (0.6, position(d, "consistent"))) <= 0.98
    assert 0.925 <= coverage(lambda d: (0.2, position(d, "toward_first"))) <= 0.98
    assert 0.92 <= coverage(lambda d: (0.68, repeats(d))) <= 0.98


@pytest.mark.parametrize("clusters", [None, [str(i // 4) for i in range(84)]])
def test_a_rater_of_one_class_has_kappa_0_and_no_interval(clusters):
    found = kappa(["yes"] * 84, ["no"] * 3 + ["yes"] * 81, clusters=clusters)
    assert (found.value, found.low, found.high) == (0.0, None, None)
    assert "one rater gave a single class" in found.reason
