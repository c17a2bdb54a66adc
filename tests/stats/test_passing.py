"""pass@k and pass^k beside all subsets of answers, and by their coverage."""

from itertools import combinations

import numpy as np
import pytest

from llmops.stats.estimate import mean
from llmops.stats.passing import pass_at, pass_hat


def over_subsets(k, right, n, ask):
    answers = [1] * right + [0] * (n - right)
    return np.mean([ask(chosen) for chosen in combinations(answers, k)])


@pytest.mark.parametrize("k", [1, 2, 4])
def test_they_are_the_shares_of_all_subsets_of_the_answers(k):
    counts = [(0, 4), (1, 4), (3, 4), (5, 6), (6, 6)]
    assert pass_at(k, counts).value == pytest.approx(np.mean([over_subsets(k, *c, any) for c in counts]))
    assert pass_hat(k, counts).value == pytest.approx(np.mean([over_subsets(k, *c, all) for c in counts]))


def test_with_one_answer_both_are_the_accuracy_with_its_interval():
    counts = [(1, 1)] * 30 + [(0, 1)] * 10
    assert pass_at(1, counts) == pass_hat(1, counts) == mean([1.0] * 30 + [0.0] * 10)


def test_more_answers_than_an_example_has_are_not_guessed():
    found = pass_at(3, [(2, 3), (1, 2)])
    assert (found.value, found.reason) == (None, "not every example has 3 answers")


def test_what_cannot_be_counted_is_refused():
    with pytest.raises(ValueError, match="k is 0"):
        pass_at(0, [(1, 1)])
    with pytest.raises(ValueError, match="3 right of 2"):
        pass_hat(1, [(3, 2)])


@pytest.mark.slow
@pytest.mark.parametrize("estimate", [pass_at, pass_hat])
def test_the_interval_covers_the_chance_over_examples(estimate):
    generator, held = np.random.default_rng(5), 0
    chances = generator.beta(3, 2, size=200_000)
    true = float(np.mean(1 - (1 - chances) ** 2 if estimate is pass_at else chances**2))
    for _ in range(1000):
        right = generator.binomial(4, generator.choice(chances, size=100))
        found = estimate(2, [(int(c), 4) for c in right])
        held += found.low <= true <= found.high
    assert 0.93 <= held / 1000 <= 0.97
