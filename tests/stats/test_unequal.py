"""Draws whose chances differ: how many, and how often each."""

import math
from collections import Counter
from random import Random

import pytest

from llmops.stats.unequal import factor, systematic


@pytest.mark.parametrize("weights", [[1.0] * 10, [0.1, 0.2, 5.0, 9.0, 1.0], [100.0, 1.0, 1.0, 1.0]])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_chances_add_up_to_the_count_and_none_exceeds_1(weights, count):
    by = factor(weights, count)
    assert math.fsum(min(1.0, by * weight) for weight in weights) == pytest.approx(count)


def test_as_many_as_there_are_take_them_all():
    assert factor([1.0, 2.0], 2) == math.inf


def test_each_unit_is_drawn_as_often_as_its_chance_says_and_the_count_never_varies():
    chances = dict(zip("abcdef", [1.0, 0.9, 0.5, 0.3, 0.2, 0.1], strict=True))
    draw, seen = Random(3), Counter()
    for _ in range(4000):
        found = systematic(chances, draw)
        assert len(found) == len(set(found)) == 3
        seen.update(found)
    for unit, chance in chances.items():
        assert seen[unit] / 4000 == pytest.approx(chance, abs=4 * math.sqrt(0.25 / 4000))
