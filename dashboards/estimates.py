"""Estimates and verdicts as frames: the leaderboard, the slices, and how the rules came out."""

from collections import Counter
from collections.abc import Iterable

import pandas as pd
from shown import candidate, difference, measured, outcome

from llmops.records import OVERALL, Estimate, Verdict

WORST_FIRST = ("fail", "inconclusive", "pass")


def quality_metrics(estimates: Iterable[Estimate]) -> list[str]:
    """Return the metrics that say what an unread answer counts as: those of quality, in file order."""
    return list(dict.fromkeys(each.metric for each in estimates if each.policy is not None))


def of_metric(estimates: Iterable[Estimate], metric: str, slice_name: str = OVERALL) -> list[Estimate]:
    """Return one metric's estimates over one slice, the best first and the unknown last."""
    rows = [each for each in estimates if each.metric == metric and each.slice == slice_name]
    return sorted(rows, key=_rank)


def _rank(estimate: Estimate) -> tuple[bool, float]:
    if estimate.value is None:
        return True, 0.0
    return False, -estimate.value if estimate.higher_is_better else estimate.value


def worst(outcomes: Iterable[str]) -> str:
    """Return the outcome that decides: a fail outranks an inconclusive, which outranks a pass."""
    seen = set(outcomes)
    return next((name for name in WORST_FIRST if name in seen), "no_rule")


def outcome_of(estimate: Estimate, verdicts: Iterable[Verdict], slice_name: str | None = None) -> str:
    """Return how the rules on this metric of this model and prompt came out, on one slice or on all."""
    return worst(
        each.outcome
        for each in verdicts
        if (each.model, each.prompt, each.metric) == (estimate.model, estimate.prompt, estimate.metric)
        and slice_name in (None, each.slice)
    )


def tally(verdicts: Iterable[Verdict]) -> Counter[str]:
    """Return how many rules came out how."""
    return Counter(each.outcome for each in verdicts)


def leaderboard(rows: Iterable[Estimate], verdicts: Iterable[Verdict]) -> pd.DataFrame:
    """Return a row for each model and prompt, in words."""
    known, every = list(verdicts), list(rows)
    return pd.DataFrame(
        {
            "verdict": outcome(outcome_of(each, known)),
            "model": each.model,
            "prompt": each.prompt,
            **_number_cells(each, {other.baseline for other in every}),
        }
        for each in every
    )


def slices_table(rows: Iterable[Estimate]) -> pd.DataFrame:
    """Return a row for each slice of each model and prompt, in words."""
    every = list(rows)
    baselines = {other.baseline for other in every}
    return pd.DataFrame(
        {
            "slice": each.slice,
            "candidate": candidate(each.model, each.prompt),
            **_number_cells(each, baselines),
        }
        for each in every
    )


def _number_cells(estimate: Estimate, baselines: set[str | None]) -> dict[str, object]:
    compared = {"difference": difference(estimate, baselines)} if baselines - {None} else {}
    return {
        "value": measured(estimate),
        "n": estimate.n,
        "missing": estimate.missing,
        **compared,
        "metric": estimate.metric,
    }


def points(rows: Iterable[Estimate], verdicts: Iterable[Verdict] = ()) -> pd.DataFrame:
    """Return what a plot of intervals draws: numbers as numbers, and words for those who point at them."""
    known = list(verdicts)
    return pd.DataFrame(
        {
            "candidate": candidate(each.model, each.prompt),
            "slice": each.slice,
            "value": each.value,
            "low": each.low,
            "high": each.high,
            "difference": each.difference,
            "difference_low": each.difference_low,
            "difference_high": each.difference_high,
            "interval": measured(each),
            "n": each.n,
            "missing": each.missing,
            "outcome": outcome_of(each, known),
        }
        for each in rows
    )
