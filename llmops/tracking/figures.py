"""Estimates under MLflow's metric names, and back.

An estimate of ``label_accuracy`` over the slice ``language=ko`` becomes ``label_accuracy/language/ko``,
its ends ``label_accuracy/language/ko.low`` and ``.high``, and so on for `SUFFIXES`. A number that is
not known gets no metric; `not_known` says why.
"""

import hashlib
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from llmops.record import Record
from llmops.records import OVERALL, Estimate, Ranked

SUFFIXES = {
    "value": "",
    "low": ".low",
    "high": ".high",
    "n": ".n",
    "missing": ".missing",
    "difference": ".diff",
    "difference_low": ".diff_low",
    "difference_high": ".diff_high",
    "fixed": ".fixed",
    "broke": ".broke",
}
"""Field of an Estimate → ending of its metric's name."""

RANKED = {
    "win_rate": ("win_rate", "win_low", "win_high"),
    "strength": ("strength", "strength_low", "strength_high"),
    "win_rate_at_one_length": ("controlled", "controlled_low", "controlled_high"),
}
"""Behind a pairwise judge's name → the fields of a Ranked: the value and its ends."""

COUNTS = ("n", "missing", "fixed", "broke")

LONGEST = 70
"""Characters of a part of a name; three parts and an ending stay below MLflow's 250."""


class Figure(Record, frozen=True, kw_only=True):
    """The numbers of one Estimate as MLflow keeps them; the fields mean what they mean there."""

    metric: str
    slice: str = OVERALL
    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    missing: int = 0
    difference: float | None = None
    difference_low: float | None = None
    difference_high: float | None = None
    fixed: int | None = None
    broke: int | None = None


def metric_name(metric: str, cut: str = OVERALL) -> str:
    """Return MLflow's name of a metric over a slice.

    >>> metric_name("label_accuracy", "language=ko")
    'label_accuracy/language/ko'
    """
    key, _, value = ("", "", "") if cut == OVERALL else cut.partition("=")
    return "/".join(_allowed(part) for part in (metric, key, value) if part)


def _allowed(text: str) -> str:
    """Return the text in MLflow's characters (Korean is among them).

    What had to change ends in a hash, so that two slices never share a name.
    """
    kept = re.sub(r"[^\w\-. ]", "_", text)
    is_path = text in (".", "..")
    if kept == text and len(text) <= LONGEST and not text.endswith(_ENDINGS) and not is_path:
        return text
    return f"{kept[: LONGEST - 7]}-{hashlib.sha256(text.encode()).hexdigest()[:6]}"


_ENDINGS = tuple(suffix for suffix in SUFFIXES.values() if suffix)


def metrics(estimates: Iterable[Estimate]) -> dict[str, float]:
    """Return metric name → number for all that is known."""
    return {
        metric_name(estimate.metric, estimate.slice) + suffix: float(number)
        for estimate in estimates
        for field, suffix in SUFFIXES.items()
        if _is_known(number := getattr(estimate, field))
    }


def ranking_metrics(ranking: Iterable[Ranked]) -> dict[str, float]:
    """Return metric name → number for all that is known of a run's places, e.g. ``better.win_rate.low``."""
    return {
        metric_name(f"{row.judge}.{name}") + end: float(number)
        for row in ranking
        for name, fields in RANKED.items()
        for field, end in zip(fields, ("", SUFFIXES["low"], SUFFIXES["high"]), strict=True)
        if _is_known(number := getattr(row, field))
    }


def not_ranked(ranking: Iterable[Ranked]) -> str:
    """Return what is not known of a run's places, with its reason."""
    return "; ".join(f"{row.judge}: {reason}" for row in ranking for reason in row.reasons)


def of_ranking(name: str) -> bool:
    """Return whether a metric's name is one of a ranking's."""
    bare = name.removesuffix(SUFFIXES["low"]).removesuffix(SUFFIXES["high"])
    return bare.rpartition(".")[2] in RANKED


def _is_known(number: float | None) -> bool:
    # MLflow would store an infinity as the largest float, which is another number.
    return number is not None and math.isfinite(number)


def not_known(estimates: Iterable[Estimate]) -> str:
    """Return the names whose value or interval is not known, each with its reason."""
    return "; ".join(
        f"{metric_name(e.metric, e.slice)}{what}: {e.reason or 'no reason given'}"
        for e in estimates
        if (what := _lack(e)) is not None
    )


def _lack(estimate: Estimate) -> str | None:
    if not _is_known(estimate.value):
        return ""
    return None if _is_known(estimate.low) and _is_known(estimate.high) else " interval"


def figures(logged: Mapping[str, float]) -> list[Figure]:
    """Return the estimates' numbers that a run's metrics hold, sorted by name.

    A slice whose name MLflow could not take comes back under the name that `metric_name` gave it.
    """
    ends = [name.removesuffix(SUFFIXES["n"]) for name in sorted(logged) if name.endswith(SUFFIXES["n"])]
    return [_figure(name, logged) for name in ends if name + SUFFIXES["missing"] in logged]


def _figure(name: str, logged: Mapping[str, float]) -> Figure:
    metric, _, cut = name.partition("/")
    numbers: dict[str, Any] = {
        field: int(logged[name + suffix]) if field in COUNTS else logged[name + suffix]
        for field, suffix in SUFFIXES.items()
        if name + suffix in logged
    }
    return Figure(metric=metric, slice=cut.replace("/", "=", 1) or OVERALL, **numbers)
