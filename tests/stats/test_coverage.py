"""Whether the intervals hold the truth as often as docs/statistics.md says."""

import pkgutil
from collections.abc import Callable, Iterator
from importlib import import_module
from inspect import getmembers, isfunction
from pathlib import Path
from typing import Any, get_args, get_type_hints

import numpy as np
import pytest

from benchmarks.corrected import WORLDS, by_errors, of_labels
from benchmarks.corrected import drawn as labelled
from benchmarks.coverage import bonett_price, enumerated, shares, simulated
from llmops import stats
from llmops.stats.bca import bca
from llmops.stats.bootstrap import Resampling, bootstrap
from llmops.stats.calibration import calibration
from llmops.stats.compare import paired_difference
from llmops.stats.corrected import corrected_difference
from llmops.stats.correlation import between_groups, within_groups
from llmops.stats.estimate import mean
from llmops.stats.interval import Interval
from llmops.stats.paired import PairedTest, mcnemar, resampled, sign_flips
from llmops.stats.pooled import Pooling, pooled_difference
from llmops.stats.spread import around_mean
from llmops.stats.tango import tango

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "statistics.md"
Draw = np.random.Generator

COVERED = {
    "alpha": "test_agreement.py::test_the_interval_of_alpha_holds_it_nearly_19_times_in_20",
    "calibration": "test_calibration.py::test_intervals_cover_the_truth",
    "classification": "test_classification.py::test_macro_f1_covers_95_percent",
    "components": "test_components.py::test_the_intervals_cover_the_true_variances",
    "confidence_sequence": "test_betting.py::test_it_holds_the_mean_at_every_stopping_time_together",
    "corrected_mean": "test_corrected.py::test_the_corrected_interval_holds_the_truth_as_often_as_it_says",
    "correlation": "test_agreement.py::test_the_interval_of_a_correlation_holds_it_19_times_in_20",
    "kappa": "test_agreement.py::test_the_interval_of_kappa_holds_kappa_19_times_in_20",
    "length_controlled": "test_bradley_terry.py::test_a_length_controlled_interval_covers_the_rate",
    "length_slope": "test_agreement.py::test_the_interval_of_the_length_slope_holds_it_19_times_in_20",
    "orders": "test_clustered_agreement.py::test_the_intervals_of_position_and_of_repeats_hold_what_they_say",
    "pooled": "test_pooled.py::test_the_interval_covers_the_truth_as_often_as_it_says",
    "predicted_sum": "test_prediction.py::test_nineteen_of_twenty_intervals_hold_the_sum",
    "proportion": "test_coverage.py::test_the_page_quotes_wilsons_coverage_as_it_is",
    "quantile": "test_quantile.py::test_order_statistics_cover_at_least_95_percent",
    "recalls": "test_agreement.py::test_the_interval_of_balanced_accuracy_holds_it_19_times_in_20",
    "self_consistency": "test_clustered_agreement.py::test_the_intervals_of_position_and_of_repeats_hold_what_they_say",
    "strengths": "test_bradley_terry.py::test_a_strengths_interval_covers_it",
    "tango": "test_tango.py::test_it_covers_95_percent",
}
"""Function that estimates an interval → the test of how often it holds the truth; others are in SIMULATED."""
NO_ESTIMATE = {"within", "wilcoxon"}
"""Functions that cut an interval, or whose effect has none."""


def estimators() -> Iterator[str]:
    """Yield the name of each public function of the statistics that returns an interval, by its annotation."""
    for module in pkgutil.iter_modules(stats.__path__):
        for name, function in getmembers(import_module(f"llmops.stats.{module.name}"), isfunction):
            own = function.__module__ == f"llmops.stats.{module.name}" and not name.startswith("_")
            if own and holds_interval(get_type_hints(function)["return"]):
                yield name


def holds_interval(kind: Any) -> bool:
    """The type is a record with a lower limit, or holds one: in a field, a list, a union, …"""
    inner = get_type_hints(kind) if isinstance(kind, type) and hasattr(kind, "_fields") else {}
    return bool({"low", "effect_low"} & set(inner)) or any(
        holds_interval(each) for each in (*inner.values(), *get_args(kind))
    )


def test_every_interval_has_a_test_of_its_coverage() -> None:
    found = set(estimators())
    assert len(found) > 25
    assert {*COVERED, *(name.partition(":")[0] for name in SIMULATED)} == found - NO_ESTIMATE
    for place in COVERED.values():
        file, _, test = place.partition("::")
        assert f"def {test}(" in (HERE / file).read_text(encoding="utf-8"), place


def of_pairs(draw: Draw) -> Any:
    base = draw.normal(0, 1, 40)
    return paired_difference((base + draw.normal(0.3, 0.5, 40)).tolist(), base.tolist())


def of_clustered_pairs(draw: Draw) -> Any:
    ours = np.repeat(draw.normal(0.3, 0.5, 30), 3) + draw.normal(0, 0.5, 90)
    return paired_difference(ours.tolist(), [0.0] * 90, [str(i // 3) for i in range(90)])


def of_judged_pairs(draw: Draw) -> Any:
    truths = draw.random((2, 400)) < np.array([[0.8], [0.7]])
    judged = np.where(draw.random((2, 400)) < 0.1, ~truths, truths).astype(float)
    known = set(draw.choice(400, 100, replace=False).tolist())
    labels = [[float(v) if i in known else None for i, v in enumerate(row)] for row in truths]
    return corrected_difference((judged[0].tolist(), judged[1].tolist()), (labels[0], labels[1])).interval


def of_corpora(draw: Draw) -> Any:
    tries = draw.integers(5, 40, 80)
    ours, theirs = (np.column_stack([draw.binomial(tries, rate), tries]).tolist() for rate in (0.6, 0.5))
    how = Pooling(lambda sums: sums[..., 0] / sums[..., 1], Resampling(400))
    return pooled_difference(ours, theirs, None, how)


def mean_of(values: Any) -> Callable[[Any], Any]:
    return lambda counts: (counts @ values[:, None]) / counts.sum(axis=1, keepdims=True)


def of_confidences(draw: Draw) -> Any:
    sure = draw.beta(4, 1, 300)
    return calibration(sure, (draw.random(300) < sure).astype(float), resamples=300).auroc


def related(draw: Draw, groups: int, size: int) -> tuple[list[float], list[float], list[str]]:
    x, y = draw.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], size=groups * size).T.tolist()
    return x, y, [str(i // size) for i in range(groups * size)]


def of_effect(test: PairedTest) -> Interval:
    return Interval(test.effect, test.n, low=test.effect_low, high=test.effect_high)


def of_odds(draw: Draw) -> Interval:
    ours = draw.choice([1.0, 0.0, 0.5], size=300, p=[0.3, 0.2, 0.5])  # won, lost, alike
    return of_effect(mcnemar((ours == 1.0).astype(float), (ours == 0.0).astype(float)))


def of_d_z(draw: Draw) -> Interval:
    return of_effect(sign_flips(draw.normal(0.4, 1, 40), np.zeros(40), seed=0, resamples=10))


def of_paired_bootstrap(draw: Draw) -> Interval:
    how = Resampling(2000, int(draw.integers(2**31)))  # one seed for all would be one draw of the resamples
    return of_effect(resampled(draw.normal(0.4, 1, 100), np.zeros(100), how))


GROUP = 40
SIMULATED: dict[str, tuple[float, Callable[[Draw], Any]]] = {
    "mean": (2.0, lambda draw: mean(draw.normal(2, 1, 30).tolist())),
    "around_mean": (2.0, lambda draw: around_mean(draw.normal(2, 1, 30), None, 0.95)),
    "paired_difference": (0.3, of_pairs),
    "paired_difference: clustered": (0.3, of_clustered_pairs),
    "mcnemar": (1.5, of_odds),
    "sign_flips": (0.4, of_d_z),
    "resampled": (0.4, of_paired_bootstrap),
    "corrected_difference": (0.1, of_judged_pairs),
    "labels_only": (WORLDS[1].truth, lambda draw: of_labels(labelled(WORLDS[1], draw))),
    "labels_only: weighted": (WORLDS[7].truth, lambda draw: of_labels(labelled(WORLDS[7], draw))),
    "rogan_gladen": (WORLDS[1].truth, lambda draw: by_errors(labelled(WORLDS[1], draw))),
    "pooled_difference": (0.1, of_corpora),
    "bootstrap": (0.0, lambda draw: bootstrap(mean_of(draw.normal(size=80)), [1] * 80, 0, 400)[0]),
    "bca": (1.0, lambda draw: bca(mean_of(draw.exponential(size=80)), [1] * 80, Resampling(400))[0]),
    "calibration: auroc": (7 / 9, of_confidences),
    # Pearson's r of n pairs lies below ρ by ρ(1 − ρ²)/2n on average.
    "within_groups": (0.6 * (1 - 0.64 / (2 * GROUP)), lambda draw: within_groups(*related(draw, 30, GROUP)).mean),
    "between_groups": (0.6, lambda draw: between_groups(*related(draw, 60, 5))),
}  # fmt: skip
"""Function, with a word for its case → the truth, and a sample's interval."""


@pytest.mark.slow
@pytest.mark.parametrize("name", SIMULATED)
def test_an_interval_holds_the_truth_nearly_19_times_in_20(name: str) -> None:
    truth, make = SIMULATED[name]
    found = simulated(lambda seed: make(np.random.default_rng(seed)), truth, 500)
    assert 0.92 <= found.covered <= 0.985, found


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
