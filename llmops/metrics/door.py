"""The one door to Hugging Face evaluate: metrics as ``evaluate.Metric`` objects."""

import math
import os
import warnings
from collections.abc import Sequence
from functools import cache
from types import ModuleType
from typing import Any, NamedTuple

from llmops.errors import UserError
from llmops.metrics.catalog import Corpus, Metric
from llmops.metrics.hub import HubName
from llmops.metrics.unscored import Unscored

OFFLINE = "HF_EVALUATE_OFFLINE"
"""The environment's word that keeps evaluate from the network, if the user says so."""


class Measured(NamedTuple):
    """What a metric has to say of one pair."""

    value: float | Unscored | None
    """None: it was not asked."""
    statistics: Sequence[float] = ()
    """What the pair adds to a corpus's value; none where the metric is a mean."""


def compute(metric: Metric, reads: Sequence[str], targets: Sequence[str]) -> list[float | Unscored | None]:
    """Return the metric's value for each pair, or why there is none; see ``measure``."""
    return [measured.value for measured in measure(metric, reads, targets)]


def measure(metric: Metric, reads: Sequence[str], targets: Sequence[str]) -> list[Measured]:
    """Return what the metric makes of each pair of an answer as read and its target.

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
    rows = found.get("statistics") or [()] * len(reads)
    return [Measured(value, row) for value, row in zip(found["values"], rows, strict=True)]


def as_evaluate(metric: Metric) -> Any:
    """Return the metric as an ``evaluate.Metric``, which neither downloads nor writes anything.

    Its ``compute(predictions=…, references=…)`` takes two columns of strings and returns
    ``{name: mean, "values": [a value for each pair]}``, the mean being that of the pairs that have a
    value; it goes into ``evaluate.combine`` too. Where the metric is of a corpus, ``name`` is the
    corpus's value, and ``"statistics"`` has the rows.
    """
    evaluate, features = _opened()

    class Ours(evaluate.Metric):  # type: ignore[name-defined, misc]
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
            if metric.corpus:
                return _pooled(metric, metric.corpus, predictions, references)
            values = checked(metric, metric.function(predictions, references), len(predictions))
            scored = [value for value in values if not isinstance(value, Unscored)]
            return {metric.name: math.fsum(scored) / len(scored) if scored else None, "values": values}

    Ours.__name__ = metric.name  # evaluate takes the metric's name from its class
    return Ours(keep_in_memory=True)


def _pooled(metric: Metric, corpus: Corpus, reads: list[str], targets: list[str]) -> dict[str, Any]:
    import numpy as np

    rows = metric.statistics(reads, targets) if metric.statistics else []
    if not rows:
        return {metric.name: None, "values": [], "statistics": []}
    counts = np.asarray(rows, dtype=np.float64)
    values = metric.each(counts) if metric.each else metric.function(reads, targets)
    whole = float(corpus(counts.sum(axis=0, keepdims=True))[0])
    return {metric.name: whole, "values": checked(metric, list(values), len(reads)), "statistics": rows}


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


def hub_module(named: HubName) -> Any:
    """Return the hub's metric as evaluate loads it, from the network or from what was fetched before.

    Raises:
        UserError: it cannot be had (offline, no such metric, a package that it needs is missing).
    """
    evaluate, _ = _opened()
    evaluate.config.HF_EVALUATE_OFFLINE = _OFFLINE_ASKED
    try:
        return evaluate.load(named.path, revision=named.revision, keep_in_memory=True)
    except OSError as problem:
        raise UserError(
            f"metrics: {named.shown!r} cannot be fetched; it needs a network, and a name that the hub has"
        ) from problem
    except (ValueError, ImportError) as problem:
        reason = str(problem).partition("\n")[0]
        raise UserError(
            f"metrics: {named.shown!r} cannot be loaded: {reason}; install what it imports"
        ) from problem
    finally:
        evaluate.config.HF_EVALUATE_OFFLINE = True


_OFFLINE_ASKED = os.environ.get(OFFLINE, "").upper() in {"1", "ON", "YES", "TRUE"}


@cache
def _opened() -> tuple[ModuleType, Any]:
    """Import evaluate, silent and offline, with the columns that every metric takes."""
    for variable in (OFFLINE, "HF_DATASETS_OFFLINE"):
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
