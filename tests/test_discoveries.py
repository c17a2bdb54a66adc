"""All differences of a suite as one family, for finding what moved."""

import numpy as np

from llmops.discoveries import discovered, family, with_q
from llmops.records import Estimate
from llmops.stats.interval import z_quantile

REACH = z_quantile(0.95)


def moved(name: str, difference: float, se: float = 1.0) -> Estimate:
    ends = {"difference_low": difference - REACH * se, "difference_high": difference + REACH * se}
    return Estimate("s", "m", "p", "right", slice=name, difference=difference, **ends)


def test_what_has_no_difference_is_no_part_of_the_family() -> None:
    without = Estimate("s", "m", "p", "cost_usd", value=1.0)
    no_interval = Estimate("s", "m", "p", "right", difference=0.5)
    found = with_q([without, moved("a=b", 4.0), no_interval])
    assert [each.q is None for each in found] == [True, False, True]
    assert (family(found), [each.slice for each in discovered(found)]) == (1, ["a=b"])


def test_many_looks_at_nothing_find_next_to_nothing_where_single_intervals_would() -> None:
    draw = np.random.default_rng(0)
    looks = [[moved(f"s={i}", z) for i, z in enumerate(draw.normal(size=60))] for _ in range(200)]
    alone = np.mean([sum(abs(each.difference or 0) > REACH for each in family_) for family_ in looks])
    any_found = np.mean([bool(discovered(with_q(family_))) for family_ in looks])
    assert alone > 2
    assert any_found < 0.1


def test_of_what_is_found_few_are_false() -> None:
    draw = np.random.default_rng(1)
    shares = []
    for _ in range(300):
        true = [moved(f"true={i}", 3.5 + z) for i, z in enumerate(draw.normal(size=20))]
        null = [moved(f"null={i}", z) for i, z in enumerate(draw.normal(size=40))]
        found = discovered(with_q([*true, *null]))
        shares.append(sum(each.slice.startswith("null") for each in found) / max(1, len(found)))
        assert len(found) > 5
    assert np.mean(shares) < 0.05
