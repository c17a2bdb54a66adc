"""The one door to Hugging Face evaluate: metrics as ``evaluate.Metric`` objects."""

import math
import os
import warnings
from collections.abc import Sequence
from functools import cache
from types import ModuleType
from typing import Any

from llmops.errors import UserError
from llmops.metrics.catalog import Metric
from llmops.metrics.unscored import Unscored


def compute(metric: Metric, reads: Sequence[str], targets: Sequence[str]) -> list[float | Unscored]:
    """Return the metric's value for each pair of an answer as read and its target, or why there is none.

    Raises:
        UserError: the metric returns another number of values than pairs, or one that is not a
            finite number.
        ValueError: the columns differ in length.
    """
    if len(reads) != len(targets):
        raise ValueError(f"{len(reads)} reads for {len(targets)} targets; pairs need one of each")
    if not reads:
        return []
    found = as_evaluate(metric).compute(predictions=list(reads), references=list(targets))
    values: list[float | Unscored] = found["values"]
    return values


def as_evaluate(metric: Metric) -> Any:
    """Return the metric as an ``evaluate.Metric``, which neither downloads nor writes anything.

    Its ``compute(predictions=…, references=…)`` takes two columns of strings and returns
    ``{name: mean, "values": [a value for each pair]}``, the mean being that of the pairs that have a
    value; it goes into ``evaluate.combine`` too.
    """
    evaluate, features = _opened()

    class Measured(evaluate.Metric):  # type: ignore[name-defined, misc]
        def _info(self) -> Any:
            return evaluate.MetricInfo(
                description=metric.summary,
                citation=metric.citation,
                inputs_description="predictions: answers as they were read. references: targets.",
                features=features,
            )

        def _build_data_dir(self) -> str:
            # evaluate makes a folder in the home cache even when it keeps all in memory.
            return str(self._data_dir_root)

        def _compute(self, predictions: list[str], references: list[str]) -> dict[str, Any]:
            values = checked(metric, metric.function(predictions, references), len(predictions))
            scored = [value for value in values if not isinstance(value, Unscored)]
            return {metric.name: math.fsum(scored) / len(scored) if scored else None, "values": values}

    Measured.__name__ = metric.name  # evaluate takes the metric's name from its class
    return Measured(keep_in_memory=True)


def checked(metric: Metric, values: Sequence[object], pairs: int) -> list[float | Unscored]:
    """Return what a metric returned as floats, one for each pair that is not unscored.

    Raises:
        UserError: it is not that; the message names the metric.
    """
    try:
        floats = [value if isinstance(value, Unscored) else float(value) for value in values]  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise UserError(
            f"metrics: {metric.name!r} returned {_shown(values)}; return a list of numbers"
        ) from None
    if len(floats) != pairs:
        raise UserError(
            f"metrics: {metric.name!r} returned {len(floats)} values for {pairs} pairs; return one each"
        )
    for place, value in enumerate(floats):
        if not isinstance(value, Unscored) and not math.isfinite(value):
            raise UserError(
                f"metrics: {metric.name!r} returned {value!r} for pair {place}; return finite numbers"
            )
    return floats


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"


@cache
def _opened() -> tuple[ModuleType, Any]:
    """Import evaluate, silent and offline, with the columns that every metric takes."""
    for variable in ("HF_EVALUATE_OFFLINE", "HF_DATASETS_OFFLINE"):
        os.environ.setdefault(variable, "1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import datasets
        import evaluate
    datasets.disable_progress_bars()
    datasets.utils.logging.set_verbosity_error()
    evaluate.utils.logging.set_verbosity_error()
    text = datasets.Value("string")
    return evaluate, datasets.Features({"predictions": text, "references": text})
