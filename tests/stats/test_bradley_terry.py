"""Strengths and length-controlled rates against closed forms, scipy and simulations."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from scipy.optimize import minimize

from llmops.stats.bootstrap import Resampling
from llmops.stats.bradley_terry import Pairing, strengths
from llmops.stats.winrate import length_controlled

FEW = Resampling(200, 0)


def logistic(x: np.ndarray, y: Sequence[float] | np.ndarray) -> list[float]:
    """Return the maximum of the likelihood, found by scipy."""

    def cost(beta: np.ndarray) -> float:
        z = x @ beta
        return float(np.logaddexp(0, z).sum() - np.asarray(y) @ z)

    return [float(each) for each in minimize(cost, np.zeros(x.shape[1]), method="BFGS").x]


def pairs(first: str, second: str, wins: int, losses: int, ties: int = 0) -> list[Pairing]:
    values = [1.0] * wins + [0.0] * losses + [0.5] * ties
    return [Pairing(first, second, value, f"{first}{second}{n}") for n, value in enumerate(values)]


def test_two_competitors_differ_by_the_log_odds_of_a_win() -> None:
    found = strengths(pairs("a", "b", 30, 10), FEW)
    assert found["a"].value == pytest.approx(math.log(3) / 2)
    assert found["b"].value == pytest.approx(-math.log(3) / 2)
    assert found["a"].low is not None


def test_a_tie_is_half_a_win_for_each() -> None:
    found = strengths(pairs("a", "b", 25, 5, ties=10), FEW)
    assert found["a"].value == pytest.approx(math.log(3) / 2)


def test_three_competitors_are_those_of_a_logistic_regression() -> None:
    rows = [*pairs("a", "b", 13, 7), *pairs("b", "c", 12, 9), *pairs("a", "c", 11, 3)]
    design = np.array([[(n == r.first) - (n == r.second) for n in "ab"] for r in rows], dtype=float)
    expected = [*logistic(design, [r.value for r in rows]), 0.0]
    found = strengths(rows, FEW)
    told = [found[name].value or 0.0 for name in "abc"]
    assert [each - told[2] for each in told] == pytest.approx(expected, abs=1e-4)


def test_one_who_never_won_has_no_strength() -> None:
    found = strengths([*pairs("a", "b", 5, 0), *pairs("a", "c", 3, 3)], FEW)
    assert all(each.value is None and each.reason for each in found.values())
    assert strengths([], FEW) == {}


@pytest.mark.slow
def test_a_strengths_interval_covers_it() -> None:
    beta = {"a": 0.5, "b": 0.0, "c": -0.5}
    generator, covered, runs = np.random.default_rng(0), 0, 200
    for run in range(runs):
        rows = []
        for n in range(80):
            for i, j in (("a", "b"), ("b", "c"), ("a", "c")):
                won = generator.random() < 1 / (1 + math.exp(beta[j] - beta[i]))
                rows.append(Pairing(i, j, float(won), str(n)))
        low, high = strengths(rows, Resampling(300, run))["a"][3:5]
        assert low is not None
        assert high is not None
        covered += low <= beta["a"] <= high
    assert 0.90 <= covered / runs <= 0.98


def drawn(
    generator: np.random.Generator, n: int, theta: float, phi: float
) -> tuple[list[float], list[tuple[float, float]]]:
    gap = generator.normal(20, 50, n)
    chance = 1 / (1 + np.exp(-(theta + phi * np.tanh(gap / gap.std()))))
    return (generator.random(n) < chance).astype(float).tolist(), [(100 + g, 100.0) for g in gap]


def test_a_win_rate_that_length_bought_is_taken_back() -> None:
    values, lengths = drawn(np.random.default_rng(1), 4000, 0.0, 2.0)
    found = length_controlled(values, lengths)
    assert sum(values) / 4000 > 0.57
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.5 < found.high


def test_the_rate_is_that_of_a_logistic_regression_and_its_error_the_jackknifes() -> None:
    values, lengths = drawn(np.random.default_rng(2), 300, 0.4, 1.0)
    gap = np.array([a - b for a, b in lengths])
    x, y = np.stack([np.ones(300), np.tanh(gap / gap.std())], axis=1), np.array(values)
    found = length_controlled(values, lengths, [str(n // 3) for n in range(300)])
    theta = logistic(x, values)[0]
    rate = 1 / (1 + math.exp(-theta))
    assert found.value == pytest.approx(rate, abs=1e-5)
    left_out = [
        logistic(np.delete(x, range(n, n + 3), 0), np.delete(y, range(n, n + 3)))[0] for n in range(0, 300, 3)
    ]
    jackknife = math.sqrt(99 / 100 * sum((each - np.mean(left_out)) ** 2 for each in left_out))
    assert found.se == pytest.approx(jackknife * rate * (1 - rate), rel=0.05)


@pytest.mark.parametrize(
    ("values", "lengths"),
    [
        ([1.0, 0.0], [(1, 2), (2, 1)]),
        ([1.0, 0.0, 1.0], [(1, 2)] * 3),
        ([1.0, 1.0, 0.0, 0.0], [(9, 1), (8, 1), (1, 8), (1, 9)]),
        ([1.0] * 4, [(1, 2), (2, 1), (3, 1), (1, 3)]),
    ],
)
def test_what_lengths_cannot_tell_has_a_reason(
    values: list[float], lengths: list[tuple[float, float]]
) -> None:
    found = length_controlled(values, lengths)
    assert (found.value, found.low) == (None, None)
    assert found.reason


@pytest.mark.slow
def test_a_length_controlled_interval_covers_the_rate() -> None:
    generator, covered, runs = np.random.default_rng(3), 0, 400
    truth = 1 / (1 + math.exp(-0.4))
    for _ in range(runs):
        found = length_controlled(*drawn(generator, 200, 0.4, 1.0))
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= truth <= found.high
    assert 0.92 <= covered / runs <= 0.98
