from time import process_time

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import precision_recall_fscore_support

from llmops.stats.classification import classification


def drawn(n, seed):
    generator = np.random.default_rng(seed)
    targets = generator.choice(list("abc"), n, p=[0.5, 0.3, 0.2])
    reads = np.where(generator.random(n) < 0.7, targets, generator.choice(list("abc"), n))
    return targets.tolist(), reads.tolist()


def test_precision_recall_and_f1_are_those_of_scikit_learn():
    targets, reads = drawn(300, seed=0)
    found = classification(targets, reads, seed=1)
    known = precision_recall_fscore_support(targets, reads)
    ours = [[c.precision.value, c.recall.value, c.f1.value, c.support] for c in found.classes]
    assert np.array(ours) == pytest.approx(np.array(known).T)
    assert found.macro_f1.value == pytest.approx(known[2].mean())
    assert found.macro_f1.low < found.macro_f1.value < found.macro_f1.high


def test_precision_and_recall_carry_wilson_intervals():
    first = classification(list("aaaab"), list("aaaba"), seed=1).classes[0]
    known = stats.binomtest(3, 4).proportion_ci(method="wilson")
    for interval in (first.precision, first.recall):
        assert (interval.low, interval.high) == pytest.approx((known.low, known.high))


def test_an_unread_answer_is_a_column_of_its_own_and_costs_recall():
    found = classification(["a", "a", "b"], ["a", None, "b"], seed=1)
    assert found.confusion == {("a", "a"): 1, ("a", None): 1, ("b", "b"): 1}
    assert [c.label for c in found.classes] == ["a", "b"]
    assert (found.classes[0].recall.value, found.classes[0].precision.value) == (0.5, 1.0)
    assert found.classes[0].f1.value == pytest.approx(2 / 3)


def test_a_label_named_unread_is_not_an_unread_answer():
    found = classification(["unread", "unread"], ["unread", None], seed=1)
    assert found.classes[0].predicted == 1


def test_what_would_divide_by_zero_is_unknown_with_a_reason():
    a, b = classification(["a", "a"], ["b", "b"], seed=1).classes
    assert (a.precision.value, a.precision.reason) == (None, "never predicted")
    assert (a.recall.value, a.f1.value) == (0.0, 0.0)
    assert (b.recall.value, b.f1.value) == (None, None)
    assert b.f1.reason == b.recall.reason == "no example has this target"
    assert b.precision.value == 0.0


def test_a_rare_class_has_an_f1_without_an_interval():
    found = classification(["a"] * 99 + ["b"], ["a"] * 98 + ["b", "b"], seed=1)
    rare = found.classes[1].f1
    assert rare.value == pytest.approx(2 / 3)
    assert rare.low is None
    assert "undefined in 3" in rare.reason


def test_no_examples_give_no_numbers():
    found = classification([], [], seed=1)
    assert (found.confusion, found.classes, found.macro_f1.value) == ({}, [], None)


def test_columns_of_different_length_are_refused():
    with pytest.raises(ValueError, match="zip"):
        classification(["a"], [], seed=1)


def test_150_classes_over_4500_examples_take_less_than_two_seconds():
    targets = [f"class {i % 150}" for i in range(4500)]
    reads = [target if i % 7 else targets[i - 1] for i, target in enumerate(targets)]
    start = process_time()
    assert len(classification(targets, reads, seed=1).classes) == 150
    assert process_time() - start < 2


@pytest.mark.slow
def test_macro_f1_covers_95_percent():
    f1_of_all = classification(*drawn(400_000, seed=9), seed=1, resamples=2).macro_f1.value
    found = [classification(*drawn(200, seed), seed, resamples=1000).macro_f1 for seed in range(1000)]
    covered = np.mean([f.low <= f1_of_all <= f.high for f in found])
    assert 0.92 < covered < 0.968
