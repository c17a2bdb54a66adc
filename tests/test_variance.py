"""What more examples, repeats or votes would see, from what a run's uncertainty is made of."""

import random

import pytest
from msgspec.structs import replace

from llmops import jsonl
from llmops.places import Places
from llmops.records import Estimate, Judgement, Score
from llmops.stats.power import smallest_difference
from llmops.variance import doubled, paired_sd, split_variance, value_sd

N = 300


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Places:
    """Two runs asked twice with a noise of 0.3 an answer, over examples whose spread is 0.2."""
    draw, made = random.Random(1), Places(tmp_path_factory.mktemp("runs"))
    hard = [draw.gauss(0, 0.2) for _ in range(N)]
    scores = [
        Score("s", f"e{i}", model, "p", "m", repeat=repeat, value=hard[i] + draw.gauss(0, 0.3))
        for model in ("old", "new")
        for i in range(N)
        for repeat in range(2)
    ]
    jsonl.write(made.suite("s", "scores.jsonl"), scores)
    votes = [
        Judgement("s", f"e{i}", "new", "p", "jury", votes={"a": hard[i] + draw.gauss(0, 0.1), "b": hard[i]})
        for i in range(N)
    ]
    jsonl.write(made.suite("s", "judgements.jsonl"), votes)
    return made


def estimate(metric: str = "m", **fields: object) -> Estimate:
    """An estimate whose interval reaches as far as the spread of the means of two answers asks for."""
    half = 1.96 * (0.2**2 + 0.3**2 / 2) ** 0.5 / N**0.5
    made = Estimate("s", "new", "p", metric, value=0.0, low=-half, high=half, n=N)
    return replace(made, **fields)


def test_repeats_lessen_the_noise_of_answers_and_no_more(here: Places) -> None:
    found = doubled(estimate(), split_variance(here, "s", 2))
    whole = 0.2**2 + 0.3**2 / 2
    assert found.examples == pytest.approx(smallest_difference(whole**0.5, 2 * N), rel=1e-3)
    assert found.repeats == pytest.approx(smallest_difference((0.2**2 + 0.3**2 / 4) ** 0.5, N), rel=0.05)
    assert found.repeats > found.examples, "examples buy more"


def test_of_a_difference_both_sides_answers_are_averaged(here: Places) -> None:
    sd = 0.3  # of the difference of two means of two answers each, examples alike
    half = 1.96 * sd / N**0.5
    made = estimate(baseline="old · p", difference=0.0, difference_low=-half, difference_high=half)
    found = doubled(made, split_variance(here, "s", 2))
    assert found.repeats == pytest.approx(smallest_difference(sd / 2**0.5, N), rel=0.06)
    strange = doubled(replace(made, baseline="baselines/s.jsonl"), split_variance(here, "s", 2))
    assert strange.repeats is None, "the answers of an accepted file are not split"


def test_a_jurys_votes_lessen_the_part_that_is_between_judges(here: Places) -> None:
    found = doubled(estimate("jury", low=-0.03, high=0.03), split_variance(here, "s", 1))
    sd = 0.03 / 1.96 * N**0.5
    assert found.judged == pytest.approx(smallest_difference((sd**2 - 0.005 / 4) ** 0.5, N), rel=0.01)
    assert found.repeats is None, "no example was asked twice"


def test_what_was_taken_once_is_not_split(here: Places) -> None:
    found = doubled(estimate(), split_variance(here, "s", 1))
    assert (found.repeats, found.judged) == (None, None)
    assert doubled(estimate(low=None, high=None), {}) == (None, None, None)


def test_the_spread_of_a_sequential_run_is_not_read_from_its_wide_intervals() -> None:
    made = estimate(
        method="confidence sequence", se=0.02, low=-0.2, high=0.2, difference=0.1, fixed=60, broke=30
    )
    assert value_sd(made) == pytest.approx(0.02 * N**0.5)
    assert paired_sd(made) == pytest.approx((0.3 - 0.01) ** 0.5)
