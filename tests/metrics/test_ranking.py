import json
import math
from pathlib import Path
from time import perf_counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, ndcg_score

from llmops.errors import UserError
from llmops.metrics.catalog import load_metric
from llmops.metrics.unscored import Unscored

READ, RELEVANT = '["a", "b", "c", "d"]', '["b", "d", "x"]'


def measured(name, read, target):
    return load_metric(name, Path()).function([read], [target])[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("precision_at_1", 0.0),
        ("precision_at_2", 1 / 2),
        ("precision_at_10", 2 / 10),
        ("recall_at_2", 1 / 3),
        ("recall_at_10", 2 / 3),
        ("mrr", 1 / 2),
        ("mrr_at_1", 0.0),
        ("map", (1 / 2 + 2 / 4) / 3),
        ("map_at_2", (1 / 2) / 2),
        ("ndcg", (1 / math.log2(3) + 1 / math.log2(5)) / (1 + 1 / math.log2(3) + 1 / 2)),
        ("ndcg_at_2", (1 / math.log2(3)) / (1 + 1 / math.log2(3))),
    ],
)
def test_a_ranking_has_the_value_of_the_formula(name, value):
    assert measured(name, READ, RELEVANT) == pytest.approx(value, abs=1e-12)


def test_a_grade_weighs_in_ndcg_only():
    graded = '{"b": 3, "d": 1, "x": 0}'
    assert measured("ndcg", READ, graded) == pytest.approx(
        (3 / math.log2(3) + 1 / math.log2(5)) / (3 + 1 / math.log2(3))
    )
    assert measured("recall_at_4", READ, graded) == 1.0


GRADES = st.lists(st.integers(0, 3), min_size=2, max_size=30).filter(any)


@settings(deadline=None)
@given(GRADES, st.randoms(use_true_random=False), st.integers(1, 40))
def test_ndcg_is_that_of_scikit_learn(grades, random, k):
    order = list(range(len(grades)))
    random.shuffle(order)
    read = json.dumps([f"d{n}" for n in order])
    target = json.dumps({f"d{n}": grade for n, grade in enumerate(grades)})
    scores = np.zeros(len(grades))
    scores[order] = np.arange(len(grades), 0, -1)
    assert measured(f"ndcg_at_{k}", read, target) == pytest.approx(
        ndcg_score([grades], [scores], k=k), abs=1e-9
    )
    assert measured("ndcg", read, target) == pytest.approx(ndcg_score([grades], [scores]), abs=1e-9)


@settings(deadline=None)
@given(GRADES, st.randoms(use_true_random=False))
def test_average_precision_is_that_of_scikit_learn(grades, random):
    order = list(range(len(grades)))
    random.shuffle(order)
    relevant = [grade > 0 for grade in grades]
    scores = np.zeros(len(grades))
    scores[order] = np.arange(len(grades), 0, -1)
    value = measured(
        "map", json.dumps([str(n) for n in order]), json.dumps([n for n, yes in enumerate(relevant) if yes])
    )
    assert value == pytest.approx(average_precision_score(relevant, scores), abs=1e-9)


@settings(deadline=None)
@given(st.sets(st.integers(0, 9), min_size=1), st.permutations(range(10)), st.integers(1, 12))
def test_a_perfect_order_has_1_and_no_value_leaves_0_to_1(relevant, order, k):
    target = json.dumps(sorted(relevant))
    best = json.dumps([str(n) for n in sorted(order, key=lambda n: n not in relevant)])
    for name in (f"ndcg_at_{k}", f"map_at_{k}", f"mrr_at_{k}", "map", "ndcg"):
        assert measured(name, best, target) == pytest.approx(1.0)
    for name in ("precision", "recall", "mrr", "map", "ndcg"):
        assert 0 <= measured(f"{name}_at_{k}", json.dumps([str(n) for n in order]), target) <= 1 + 1e-12


def test_an_id_that_comes_again_counts_once():
    assert measured("recall_at_3", '["b", "b", "b"]', '["b", "d"]') == 0.5
    assert measured("precision_at_3", '["b", "b", "b"]', '["b"]') == pytest.approx(1 / 3)


@pytest.mark.parametrize("target", ["[]", "{}", '{"a": 0}'])
def test_a_pair_with_nothing_relevant_is_unscored(target):
    assert measured("ndcg_at_3", READ, target) == Unscored("nothing is relevant to this example")


def test_an_empty_ranking_has_0():
    assert [measured(name, "[]", '["a"]') for name in ("precision_at_3", "mrr", "map", "ndcg")] == [0.0] * 4


@pytest.mark.parametrize(
    ("target", "message"), [("d3", "neither a JSON list"), ('{"a": -1}', "a grade below 0"), ("3", "neither")]
)
def test_a_target_that_is_no_list_of_ids_is_refused(target, message):
    with pytest.raises(UserError, match=message):
        measured("mrr", READ, target)


@pytest.mark.parametrize("name", ["ndcg_at_0", "ndcg_at_x", "precision", "bleu_at_3", "ndcg_at_10 "])
def test_a_depth_that_is_none_is_refused_with_what_there_is(name):
    with pytest.raises(UserError, match="'precision_at_<k>'"):
        load_metric(name, Path())


def test_a_long_ranking_takes_milliseconds():
    read = json.dumps([f"d{n}" for n in range(12_000)])
    for name in ("precision_at_5", "recall_at_10000", "mrr", "map", "ndcg_at_10"):
        started = perf_counter()
        measured(name, read, '["d11999", "d5"]')
        assert perf_counter() - started < 0.1
