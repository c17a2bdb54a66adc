"""The metrics there are, and how a project adds its own."""

from collections.abc import Callable, Mapping, Sequence
from inspect import getdoc
from pathlib import Path
from typing import NamedTuple

from llmops.errors import UserError
from llmops.metrics import match, overlap
from llmops.metrics.own import own_function

Columns = Callable[[Sequence[str], Sequence[str]], Sequence[float]]
"""(answers as read, targets) → one value for each pair."""


class Metric(NamedTuple):
    """A measure of one answer against its target."""

    name: str
    function: Columns
    tasks: frozenset[str] | None
    """Names of the tasks whose readings it can measure; None means any."""
    summary: str
    citation: str = ""
    version: str = "1"
    """Changes when its values change."""
    higher_is_better: bool = True
    settings: Mapping[str, str] = {}
    """What else its values rest on, such as a tokeniser; part of each estimate's signature."""


_SQUAD = "Rajpurkar et al. 2016, arXiv 1606.05250"

METRICS: dict[str, Metric] = {
    "label_accuracy": Metric(
        "label_accuracy",
        match.label_accuracy,
        frozenset({"label"}),
        "share of answers that name the target label",
    ),
    "exact_match": Metric(
        "exact_match",
        match.exact_match,
        frozenset({"label", "text", "final"}),
        "share of answers equal to the target",
    ),
    "normalised_match": Metric(
        "normalised_match",
        match.normalised_match,
        frozenset({"text", "final"}),
        "share of answers equal to the target but for case, punctuation and articles",
        _SQUAD,
    ),
    "choice_accuracy": Metric(
        "choice_accuracy",
        match.exact_match,
        frozenset({"choice", "announced_choice"}),
        "share of answers that pick the right choice",
    ),
    "numeric_match": Metric(
        "numeric_match",
        match.numeric_match,
        frozenset({"number"}),
        "share of answers that are the target number",
    ),
    "token_f1": Metric(
        "token_f1", overlap.token_f1, frozenset({"text"}), "F1 of shared words, 0 to 1", _SQUAD
    ),
    "chrf": Metric(
        "chrf",
        overlap.chrf,
        frozenset({"text"}),
        "sentence chrF, 0 to 100",
        "Popović 2015, WMT15, pages 392–395",
    ),
}


def load_metric(name: str, root: Path) -> Metric:
    """Return a metric of the catalogue, or a project's own as ``path/to/file.py:function``.

    A project's own function takes (reads, targets) and returns one number for each pair. Its
    docstring's first line is the summary; ``tasks`` (names) and ``higher_is_better`` may be set on
    it as attributes; its version is its file's sha256, so that an edit shows.

    Args:
        root: the project's folder, which a project's own metrics lie below.

    Raises:
        UserError: there is no such metric (lists those there are), or its file cannot be used.
    """
    if name in METRICS:
        return METRICS[name]
    if ".py:" not in name:
        known = sorted(METRICS)
        raise UserError(
            f"metrics: unknown metric {name!r}; metrics are {known} or 'path/to/file.py:function'"
        )
    function, version = own_function(name, root)
    tasks = getattr(function, "tasks", None)
    return Metric(
        name=name,
        function=function,
        tasks=None if tasks is None else frozenset(tasks),
        summary=(getdoc(function) or name).partition("\n")[0],
        version=version,
        higher_is_better=bool(getattr(function, "higher_is_better", True)),
    )


def fits(metric: Metric, task: str, where: str) -> None:
    """Refuse a metric that cannot measure what the task reads.

    Raises:
        UserError: it does not fit (the message starts with ``where`` and lists those that do).
    """
    if not _measures(metric, task):
        fitting = sorted(each.name for each in METRICS.values() if _measures(each, task))
        raise UserError(f"{where}: {metric.name!r} does not fit task {task!r}; those that fit are {fitting}")


def _measures(metric: Metric, task: str) -> bool:
    return metric.tasks is None or task in metric.tasks
