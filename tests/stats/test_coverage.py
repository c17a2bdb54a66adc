"""Whether the intervals hold the truth as often as docs/statistics.md says."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.coverage import bonett_price, enumerated, shares, simulated
from llmops.stats.estimate import mean
from llmops.stats.tango import tango

PAGE = Path(__file__).parents[2] / "docs" / "statistics.md"


def test_the_page_quotes_wilsons_coverage_as_it_is() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for row in shares():
        assert f"| {' | '.join(row)} |" in page


def test_tango_passes_what_is_worse_by_the_margin_less_often_than_bonett_and_price() -> None:
    ours, theirs = (enumerated(interval, 100, 0.005, 0.105, 0.95) for interval in (tango, bonett_price))
    assert ours.above < 0.025 < theirs.above


@pytest.mark.slow
@pytest.mark.parametrize(("groups", "least"), [(5, 0.92), (20, 0.93), (50, 0.93)])
def test_clusters_of_one_size_are_covered_however_few_there_are(groups: int, least: float) -> None:
    def make(seed: int):
        generator = np.random.default_rng(seed)
        rates = np.repeat(generator.beta(7, 3, groups), 10)
        values = (generator.random(len(rates)) < rates).astype(float)
        return mean(values.tolist(), [str(i // 10) for i in range(len(rates))])

    assert simulated(make, 0.7, 1000).covered > least
