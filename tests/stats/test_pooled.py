import time

import numpy as np
import pytest

from llmops.stats.bootstrap import Resampling
from llmops.stats.pooled import Pooling, pooled, pooled_difference


def ratio(sums):
    return sums[..., 0] / sums[..., 1]


HOW = Pooling(ratio, Resampling(500, seed=1))


def rows(seed, n=80, rate=0.6):
    generator = np.random.default_rng(seed)
    tries = generator.integers(5, 40, n)
    return np.column_stack([generator.binomial(tries, rate), tries]).tolist()


def test_the_value_is_the_corpus_own_and_not_the_mean_of_the_examples():
    found = pooled([[1, 1], [0, 9]], None, HOW)
    assert (found.value, found.n) == (0.1, 2)


def test_the_interval_of_a_ratio_is_that_of_the_delta_method():
    column = np.asarray(rows(0, n=400))
    found = pooled(column.tolist(), None, HOW)
    residuals = column[:, 0] - found.value * column[:, 1]
    known = residuals.std(ddof=1) / np.sqrt(len(column)) / column[:, 1].mean()
    assert found.se == pytest.approx(known, rel=0.1)
    assert found.high - found.low == pytest.approx(2 * 1.96 * known, rel=0.12)
    assert found.method == "bootstrap"


def test_the_interval_covers_the_truth_as_often_as_it_says():
    covered = [
        low <= 0.6 <= high
        for seed in range(200)
        for _, _, _, low, high, *_ in [pooled(rows(seed), None, HOW)]
    ]
    assert 0.91 <= np.mean(covered) <= 0.985


def test_a_source_is_drawn_as_a_whole():
    column = rows(3, n=40)
    twice = [row for row in column for _ in range(2)]
    names = [f"{i:02}" for i in range(40) for _ in range(2)]
    clustered, alone, plain = (pooled(r, c, HOW) for r, c in ((twice, names), (twice, None), (column, None)))
    assert clustered[2:5] == plain[2:5]  # a copy tells nothing new
    assert alone.se < 0.8 * clustered.se
    assert (clustered.n, clustered.method) == (80, "clustered bootstrap")


def test_one_source_has_no_interval():
    found = pooled(rows(1, n=5), ["a"] * 5, HOW)
    assert (found.low, found.n, found.reason) == (None, 5, "one cluster tells nothing of the spread")


def test_a_difference_draws_the_same_examples_of_both():
    theirs = rows(5)
    ours = [[min(hits + 1, tries), tries] for hits, tries in theirs]
    found = pooled_difference(ours, theirs, None, HOW)
    a, b = pooled(ours, None, HOW), pooled(theirs, None, HOW)
    assert found.value == pytest.approx(a.value - b.value)
    assert 0 < found.low < found.value < found.high
    assert found.se < 0.5 * b.se


def test_what_is_the_same_has_no_difference_and_no_interval():
    found = pooled_difference(rows(5), rows(5), None, HOW)
    assert (found.value, found.low) == (0.0, None)
    assert "no spread" in found.reason


def test_nothing_has_no_value():
    assert pooled([], None, HOW).value is None
    assert pooled_difference([], [], None, HOW).reason == "no pairs"
    with pytest.raises(ValueError, match="1 rows against 0"):
        pooled_difference([[1, 2]], [], None, HOW)


def test_the_same_seed_gives_the_same_interval():
    again = Pooling(ratio, Resampling(500, seed=1))
    other = Pooling(ratio, Resampling(500, seed=2))
    assert pooled(rows(1), None, HOW) == pooled(rows(1), None, again)
    assert pooled(rows(1), None, HOW) != pooled(rows(1), None, other)


def test_twenty_thousand_examples_are_resampled_in_seconds():
    start = time.perf_counter()
    pooled(rows(1, n=20_000), None, Pooling(ratio))
    assert time.perf_counter() - start < 10
