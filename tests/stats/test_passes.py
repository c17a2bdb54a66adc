"""pass@k and pass^k."""

from itertools import combinations

import pytest

from llmops.stats.passes import pass_at, pass_hat


@pytest.mark.parametrize("passed", range(6))
@pytest.mark.parametrize("k", range(1, 6))
def test_they_are_the_shares_of_all_draws_of_k_answers(k: int, passed: int) -> None:
    draws = list(combinations([True] * passed + [False] * (5 - passed), k))
    assert pass_at(k, 5, passed) == pytest.approx(sum(map(any, draws)) / len(draws))
    assert pass_hat(k, 5, passed) == pytest.approx(sum(map(all, draws)) / len(draws))


def test_fewer_than_k_answers_tell_nothing() -> None:
    assert (pass_at(3, 2, 2), pass_hat(3, 2, 2)) == (None, None)


def test_more_passes_than_answers_are_refused() -> None:
    with pytest.raises(ValueError, match="3 of 2 passed"):
        pass_at(1, 2, 3)
