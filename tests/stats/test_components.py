"""Variance components beside their definition by quadratic forms, and by their coverage."""

import json
from collections import defaultdict

import numpy as np
import pytest
from scipy import stats

from llmops.stats.bootstrap import Resampling
from llmops.stats.components import components

UNEVEN = [[[1.0, 2.0], [4.0]], [[0.0], [1.0, 3.0, 3.0], [2.0]], [[5.0, 5.5]], [[3.0], [2.5]]]


def drawn(generator, sizes, sds):
    """Scores of examples with so many answers each, every answer judged twice."""
    example, answer, judge = sds
    return [
        [
            [e + a + generator.normal(0, judge) for _ in range(2)]
            for a in generator.normal(0, answer, size=answers)
        ]
        for e, answers in zip(generator.normal(0, example, size=len(sizes)), sizes, strict=True)
    ]


def by_quadratic_forms(nested):
    """Henderson's method I solved from E[y'Ay] = tr(AV), with projections as matrices."""
    values = np.array([v for answers in nested for judged in answers for v in judged])
    of_example = np.array([i for i, answers in enumerate(nested) for judged in answers for _ in judged])
    of_answer = np.array([(i, j) for i, a in enumerate(nested) for j, judged in enumerate(a) for _ in judged])
    same_example = (of_example[:, None] == of_example[None, :]).astype(float)
    same_answer = (of_answer[:, None] == of_answer[None, :]).all(axis=2).astype(float)
    one, inside = np.full_like(same_example, 1 / len(values)), np.eye(len(values))
    examples = same_example / same_example.sum(axis=1)
    answers = same_answer / same_answer.sum(axis=1)
    forms = [examples - one, answers - examples, inside - answers]
    effects = [same_example, same_answer, inside]
    coefficients = [[np.trace(form @ effect) for effect in effects] for form in forms]
    return np.linalg.solve(coefficients, [values @ form @ values for form in forms])


def test_uneven_scores_split_as_the_expectations_of_their_quadratic_forms_say():
    wanted = by_quadratic_forms(UNEVEN)
    found = components(UNEVEN)
    assert [part.value for part in found] == pytest.approx(wanted)


def test_even_answers_split_as_a_one_way_analysis_of_variance_does():
    table = np.random.default_rng(1).normal(size=(12, 5)) + np.arange(12)[:, None]
    f = stats.f_oneway(*table).statistic
    within = table.var(axis=1, ddof=1).mean()
    found = components([[[value] for value in row] for row in table])
    assert found.generation.value == pytest.approx(within)
    assert found.example.value == pytest.approx((f - 1) * within / 5)
    assert (found.judge.value, found.judge.reason) == (None, "no answer was judged twice")


def test_what_no_repeat_tells_is_unknown_and_stays_in_the_level_above():
    values = [3.0, 5.0, 8.0, 1.0]
    found = components([[[value]] for value in values])
    assert found.example.value == pytest.approx(np.var(values, ddof=1))
    assert found.generation.reason == "no example was asked twice"


def test_a_variance_below_0_is_said_as_0_with_the_reason():
    found = components([[[0.0], [1.0]], [[1.0], [0.0]], [[0.0], [1.0]]])
    assert found.example.value == 0
    assert "no variance is below 0" in found.example.reason


def test_values_around_a_million_lose_nothing():
    far = [[[value + 1e6 for value in judged] for judged in answers] for answers in UNEVEN]
    assert [part.value for part in components(far)] == pytest.approx([p.value for p in components(UNEVEN)])


def test_an_answer_without_a_value_is_refused():
    with pytest.raises(ValueError, match="leave it out"):
        components([[[1.0]], [[]]])


@pytest.mark.slow
def test_the_intervals_cover_the_true_variances():
    generator, held = np.random.default_rng(3), np.zeros(3)
    for trial in range(300):
        nested = drawn(generator, generator.integers(1, 4, size=80), (1.0, 0.7, 0.5))
        found = components(nested, Resampling(400, trial))
        held += [part.low <= true <= part.high for part, true in zip(found, (1.0, 0.49, 0.25), strict=True)]
    assert (held / 300 > 0.9).all()


@pytest.mark.slow
def test_the_variances_are_right_on_average_where_answers_are_right_or_wrong():
    generator, sums = np.random.default_rng(4), np.zeros(2)
    for _ in range(300):
        chances = generator.beta(2, 1, size=60)
        found = components([[[float(generator.random() < p)] for _ in range(3)] for p in chances])
        sums += [found.example.value, found.generation.value]
    spread = 2 / (9 * 4)
    assert sums / 300 == pytest.approx([spread, 2 / 9 - spread], rel=0.06)


@pytest.mark.real_data
def test_of_tau_benchs_trials_most_of_the_variance_lies_between_answers_to_one_task(mirror):
    lines = (mirror / "tau_bench" / "gpt-4o-airline_trials_0_1.jsonl").read_text(encoding="utf-8")
    rewards = defaultdict(list)
    for row in map(json.loads, lines.splitlines()):
        rewards[row["task_id"]].append([row["reward"]])
    found = components(list(rewards.values()))
    assert found.generation.value == pytest.approx(0.19), "50 tasks, twice each; 19 of them once right"
    assert found.example.value == pytest.approx(0.0582, abs=1e-4)
