"""Means corrected by labels: against closed forms, at their edges, and how often they hold the truth."""

import numpy as np
import pytest

from benchmarks.corrected import WORLDS, World, corrected, held, naive, of_labels
from llmops.stats.corrected import LEAST_LABELS, corrected_difference, corrected_mean, labels_only
from llmops.stats.estimate import mean
from llmops.stats.rogan_gladen import Errors, rogan_gladen


def _graded(n: int, labelled: int, seed: int = 0) -> tuple[list[float], list[float | None]]:
    rng = np.random.default_rng(seed)
    truth = rng.normal(3, 1, n)
    judged = truth + rng.normal(0.5, 0.4, n)
    return judged.tolist(), [float(y) if i < labelled else None for i, y in enumerate(truth)]


def test_with_a_random_part_the_value_is_that_of_ppi_plus_plus() -> None:
    judged, labels = _graded(500, 100)
    found = corrected_mean(judged, labels)
    f, y = np.array(judged), np.array([label for label in labels if label is not None])
    # As Angelopoulos et al. write it: unlabelled apart from labelled, λ = cov / ((1 + n/N) var).
    slope = np.cov(y, f[:100])[0, 1] / np.var(f[:100], ddof=1)
    tuned = slope / (1 + 100 / 400)
    theirs = tuned * f[100:].mean() + (y - tuned * f[:100]).mean()
    assert found.interval.value == pytest.approx(theirs)
    assert found.tuning == pytest.approx(slope)


def test_the_variance_is_that_of_two_phase_sampling() -> None:
    judged, labels = _graded(4000, 400)
    found = corrected_mean(judged, labels)
    f, y = np.array(judged)[:400], np.array([label for label in labels if label is not None])
    residuals = y - (found.tuning or 0) * f
    wanted = np.var(y, ddof=1) / 4000 + (1 / 400 - 1 / 4000) * np.var(residuals, ddof=1)
    assert found.interval.se == pytest.approx(np.sqrt(wanted), rel=0.02)


def test_a_judge_without_any_relation_to_the_labels_is_left_out() -> None:
    labels = [float(i % 2) if i < 60 else None for i in range(300)]
    found = corrected_mean([1.0] * 300, labels)
    assert (found.tuning, found.interval.value) == (0.0, 0.5)


def test_too_few_labels_give_no_interval_and_say_so() -> None:
    found = corrected_mean([1.0] * 50, [1.0] * (LEAST_LABELS - 1) + [None] * (51 - LEAST_LABELS))
    assert (found.interval.value, found.interval.low) == (None, None)
    assert "19 labelled examples; 20 are the least" in (found.interval.reason or "")


def test_sources_are_counted_not_their_examples() -> None:
    clusters = [f"c{i // 10}" for i in range(100)]
    found = corrected_mean([1.0] * 100, [float(i % 2) for i in range(100)], clusters=clusters)
    assert "10 sources of labelled examples" in (found.interval.reason or "")


def test_a_judge_that_made_no_error_yet_is_not_taken_for_perfect() -> None:
    judged = [float(i % 4 > 0) for i in range(2000)]
    found = corrected_mean(judged, [*judged[:40], *[None] * 1960])
    alone = mean(judged)
    assert found.interval.value == pytest.approx(0.75)
    assert found.interval.high - found.interval.low > 2 * (alone.high - alone.low)  # type: ignore[operator]


def test_more_labels_halve_the_interval_as_told() -> None:
    judged, labels = _graded(100_000, 400)
    before = corrected_mean(judged, labels)
    assert before.more_labels is not None
    _, more = _graded(100_000, 400 + before.more_labels)
    after = corrected_mean(judged, more)
    assert after.interval.se == pytest.approx((before.interval.se or 0) / 2, rel=0.05)


def test_where_even_all_labels_would_not_halve_it_there_is_no_number() -> None:
    judged, labels = _graded(500, 400)
    assert corrected_mean(judged, labels).more_labels is None


def test_a_difference_is_that_of_the_examples_with_both_labels() -> None:
    judged, labels = _graded(500, 100)
    others = [value - 1 for value in judged]
    theirs = [None if y is None or i < 10 else y - 1 for i, y in enumerate(labels)]
    found = corrected_difference((judged, others), (labels, theirs))
    assert found.labels == 90
    assert found.interval.value == pytest.approx(1.0)


def test_labels_alone_without_chances_are_a_plain_mean() -> None:
    labels = [1.0, 0.0, 1.0] * 20
    assert labels_only(labels) == mean(labels)


@pytest.mark.parametrize("chances", [[0.0] * 30, [1.5] * 30, [0.5] * 29])
def test_chances_that_are_none_are_refused(chances: list[float]) -> None:
    with pytest.raises(ValueError, match="chance"):
        corrected_mean([1.0] * 30, [1.0] * 30, chances)


def test_weights_undo_a_choice_that_depends_on_what_the_judge_does_not_see() -> None:
    rng = np.random.default_rng(4)
    hard = rng.random(4000) < 0.5
    truth = np.where(hard, rng.random(4000) < 0.4, rng.random(4000) < 0.9)
    chances = np.where(hard, 0.4, 0.04)
    labels = [float(y) if known else None for y, known in zip(truth, rng.random(4000) < chances, strict=True)]
    weighted = corrected_mean([1.0] * 4000, labels, chances.tolist()).interval
    plain = corrected_mean([1.0] * 4000, labels).interval
    assert weighted.low < 0.65 < weighted.high  # type: ignore[operator]
    assert plain.high < 0.55  # type: ignore[operator]


def test_rogan_and_gladen_recover_the_share_that_errors_hid() -> None:
    found = rogan_gladen(300, 1000, Errors(900, 1000, 950, 1000))
    assert found.value == pytest.approx((0.3 + 0.95 - 1) / (0.9 + 0.95 - 1))
    assert found.low < found.value < found.high  # type: ignore[operator]


@pytest.mark.parametrize(("errors", "reason"), [(Errors(5, 10, 5, 10), "chance"), (Errors(0, 0, 9, 9), "no")])
def test_a_test_no_better_than_chance_corrects_nothing(errors: Errors, reason: str) -> None:
    found = rogan_gladen(3, 10, errors)
    assert found.value is None
    assert reason in (found.reason or "")


@pytest.mark.slow
@pytest.mark.parametrize("world", WORLDS)
def test_the_corrected_interval_holds_the_truth_as_often_as_it_says(world: World) -> None:
    assert held(world, corrected, draws=1000).coverage >= 0.93


@pytest.mark.slow
def test_the_interval_of_the_judge_alone_does_not() -> None:
    assert held(WORLDS[3], naive, draws=300).coverage < 0.1


@pytest.mark.slow
def test_the_correction_is_narrower_than_the_labels_alone() -> None:
    world = WORLDS[5]
    assert held(world, corrected, draws=300).width < 0.8 * held(world, of_labels, draws=300).width
