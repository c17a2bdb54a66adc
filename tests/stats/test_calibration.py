import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, roc_auc_score

from llmops.stats.calibration import calibration
from llmops.stats.interval import Interval

PAIRS = st.lists(
    st.tuples(st.floats(0, 1) | st.sampled_from([0.1, 0.25, 0.5, 1.0]), st.booleans()),
    min_size=2,
    max_size=60,
)


def found(confidences, correct, **more):
    return calibration(confidences, [float(each) for each in correct], resamples=20, **more)


@settings(deadline=None)
@given(PAIRS)
def test_brier_and_auroc_are_those_of_scikit_learn(pairs):
    confidences, correct = zip(*pairs, strict=True)
    report = found(confidences, correct)
    assert report.brier.value == pytest.approx(
        brier_score_loss(correct, confidences, pos_label=True), abs=1e-9
    )
    if len(set(correct)) == 2:
        assert report.auroc.value == pytest.approx(roc_auc_score(correct, confidences), abs=1e-9)
    else:
        assert report.auroc.value is None
        assert report.auroc.reason == "all answers are right, or all wrong"


@settings(deadline=None)
@given(PAIRS)
def test_ece_is_the_gaps_of_ten_bins_weighed_by_their_size(pairs):
    confidences, correct = (np.array(column, dtype=float) for column in zip(*pairs, strict=True))
    bins = np.array([sum(c > edge / 10 for edge in range(1, 10)) for c in confidences])
    expected = sum(
        (bins == b).mean() * abs(correct[bins == b].mean() - confidences[bins == b].mean()) for b in set(bins)
    )
    assert found(confidences, correct).ece.value == pytest.approx(expected, abs=1e-9)


def test_ece_of_a_worked_example():
    report = found([0.95, 0.95, 0.95, 0.55], [1, 1, 0, 1])
    assert report.ece.value == pytest.approx(0.75 * abs(2 / 3 - 0.95) + 0.25 * abs(1 - 0.55))


def test_bins_of_equal_mass_split_what_one_wide_bin_hides():
    confidences = [0.91 + 0.0008 * n for n in range(100)]
    correct = [n >= 50 for n in range(100)]
    report = found(confidences, correct)
    assert report.ece.value == pytest.approx(abs(0.5 - np.mean(confidences)))
    expected = np.mean([abs((n >= 5) - np.mean(confidences[n * 10 : n * 10 + 10])) for n in range(10)])
    assert report.ece_equal_mass.value == pytest.approx(expected)


def test_the_order_of_the_answers_changes_nothing():
    confidences, correct = [0.2, 0.2, 0.9, 0.7, 0.7, 0.7], [0, 1, 1, 0, 1, 1]
    there, back = found(confidences, correct), found(confidences[::-1], correct[::-1])
    assert [i.value for i in there] == pytest.approx([i.value for i in back])


def test_a_cluster_counts_as_one_draw():
    draw = np.random.default_rng(0)
    confidences = draw.beta(4, 1, 80)
    correct = draw.random(80) < confidences
    alone = calibration(confidences, correct.astype(float))
    copied = calibration(
        np.repeat(confidences, 5), np.repeat(correct, 5).astype(float), [str(n // 5) for n in range(400)]
    )
    assert copied.brier.value == pytest.approx(alone.brier.value)
    assert (copied.brier.n, copied.brier.method) == (400, "clustered bootstrap")
    assert copied.brier.high - copied.brier.low == pytest.approx(alone.brier.high - alone.brier.low, rel=0.1)


def test_of_no_values_nothing_is_known():
    assert set(calibration([], [])) == {Interval(None, 0, reason="no values")}


@pytest.mark.parametrize(
    ("confidences", "correct", "message"),
    [
        ([0.5], [], "1 confidences for 0"),
        ([1.5], [1], "between 0 and 1"),
        ([0.5], [0.5], "be 0 or 1"),
        ([np.nan], [1], "finite"),
    ],
)
def test_other_values_are_refused(confidences, correct, message):
    with pytest.raises(ValueError, match=message):
        calibration(confidences, correct)


@pytest.mark.slow
@pytest.mark.parametrize("power", [1, 2])
def test_intervals_cover_the_truth(power):
    """Confidence c ~ Beta(4, 1), an answer right with probability c^power."""
    draw = np.random.default_rng(1)
    many = draw.beta(4, 1, 2_000_000)
    truth = (abs(np.mean(many - many**power)), np.mean((many - (draw.random(many.size) < many**power)) ** 2))
    hits = np.zeros(3)
    for seed in range(300):
        confidences = draw.beta(4, 1, 500)
        report = calibration(
            confidences, (draw.random(500) < confidences**power).astype(float), seed=seed, resamples=400
        )
        hits += [
            report.ece.low <= truth[0] + 1e-3 and truth[0] <= report.ece.high,
            report.ece_equal_mass.low <= truth[0] + 1e-3 and truth[0] <= report.ece_equal_mass.high,
            report.brier.low <= truth[1] <= report.brier.high,
        ]
    assert (hits / 300 >= [0.90, 0.90, 0.92]).all(), hits / 300
