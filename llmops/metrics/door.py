"""The one door to Hugging Face evaluate: our metrics as its ``Metric`` objects, the hub's as functions."""

import math
import os
import warnings
from functools import cache
from types import ModuleType
from typing import Any

from llmops.errors import UserError
from llmops.metrics.hub_name import HubName
from llmops.metrics.measuring import measure, whole
from llmops.metrics.metric import Metric

OFFLINE = "HF_EVALUATE_OFFLINE"
"""The environment's word that keeps evaluate from the network, if the user says so."""


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
            found = measure(metric, predictions, references)
            values = [measured.value for measured in found]
            if metric.corpus:
                rows = [measured.statistics for measured in found]
                return {metric.name: whole(metric.corpus, rows), "values": values, "statistics": rows}
            scored = [value for value in values if isinstance(value, float)]
            return {metric.name: math.fsum(scored) / len(scored) if scored else None, "values": values}

    Ours.__name__ = metric.name  # evaluate takes the metric's name from its class
    return Ours(keep_in_memory=True)


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
