"""The prediction of a sum: exact on a line, against scipy's textbook formulas, and as sure as it says."""

import math
import random

import pytest
from scipy import stats

from llmops.stats.prediction import predicted_sum


def test_a_line_is_foreseen_exactly() -> None:
    known = [(float(x), 7.0 + 0.25 * x) for x in (10, 20, 40, 80)]
    found = predicted_sum(known, [100.0, 4.0])
    assert found == pytest.approx((7 + 25 + 7 + 1,) * 3)


def test_one_new_value_has_the_textbook_interval_of_a_prediction() -> None:
    known = [(1.0, 2.0), (2.0, 2.5), (3.0, 4.5), (4.0, 4.0), (5.0, 6.5)]
    fit = stats.linregress(*zip(*known, strict=True))
    rest = [y - fit.intercept - fit.slope * x for x, y in known]
    s = math.sqrt(sum(r * r for r in rest) / 3)
    reach = stats.t.ppf(0.975, 3) * s * math.sqrt(1 + 1 / 5 + (6 - 3) ** 2 / 10)
    value = fit.intercept + fit.slope * 6
    assert predicted_sum(known, [6.0]) == pytest.approx((value, value - reach, value + reach))


def test_where_all_lengths_are_alike_the_mean_is_foreseen() -> None:
    found = predicted_sum([(5.0, y) for y in (1.0, 2.0, 3.0)], [5.0, 5.0])
    reach = stats.t.ppf(0.975, 2) * math.sqrt(2 + 4 / 3)
    assert found == pytest.approx((4.0, 4.0 - reach, 4.0 + reach))


def test_two_values_tell_nothing_of_their_spread() -> None:
    assert predicted_sum([(1.0, 1.0), (2.0, 2.0)], [3.0]) is None


def test_nineteen_of_twenty_intervals_hold_the_sum() -> None:
    draw = random.Random(5)

    def drawn(count: int) -> list[tuple[float, float]]:
        xs = [draw.uniform(20, 200) for _ in range(count)]
        return [(x, 6 + x / 4 + draw.gauss(0, 3)) for x in xs]

    held = 0
    for _ in range(2000):
        new = drawn(40)
        found = predicted_sum(drawn(12), [x for x, _ in new])
        assert found is not None
        held += found.low <= sum(y for _, y in new) <= found.high
    assert 0.935 <= held / 2000 <= 0.965
