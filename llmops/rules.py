"""Rules held against Estimates: each rule's outcome on each run, in words."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from llmops.config import PARAMS
from llmops.errors import UserError
from llmops.numbers import interval, number
from llmops.records import OVERALL, Estimate, Outcome, Verdict
from llmops.stats.decide import decide, examples_to_decide
from llmops.suites import Baseline, Rule, Suite


class Bounds(NamedTuple):
    """What a value is held to: one of the two."""

    at_least: float | None = None
    at_most: float | None = None


def worst(outcomes: Iterable[Outcome]) -> Outcome | None:
    """Return the outcome of all together: any fail outranks any inconclusive; None when there are none."""
    order: tuple[Outcome, ...] = ("fail", "inconclusive", "pass")
    seen = set(outcomes)
    return next((outcome for outcome in order if outcome in seen), None)


def verdicts(name: str, suite: Suite, estimates: list[Estimate]) -> Iterator[Verdict]:
    """Yield one verdict for each rule and each run that it speaks of.

    Raises:
        UserError: a rule names a metric or a slice that no estimate has.
    """
    for place, rule in enumerate(suite.rules, 1):
        named = [e for e in estimates if e.metric == rule.metric]
        where = f"{PARAMS}: suites: {name}: rules[{place}]"
        if not named:
            known = sorted({e.metric for e in estimates})
            raise UserError(f"{where}: metric: {rule.metric!r} is not measured; metrics are {known}")
        if not any(e.slice == rule.slice for e in named):
            known = sorted({e.slice for e in named})
            raise UserError(f"{where}: slice: {rule.slice!r} has no {rule.metric}; slices are {known}")
        yield from (_verdict(rule, e) for e in named if _speaks_of(rule, e, suite.baseline))


def _speaks_of(rule: Rule, estimate: Estimate, baseline: Baseline | None) -> bool:
    return (
        estimate.slice == rule.slice
        and (not rule.models or estimate.model in rule.models)
        and (not rule.prompts or estimate.prompt in rule.prompts)
        and not (rule.no_worse_by is not None and _is_baseline(estimate, baseline))
    )


def _is_baseline(estimate: Estimate, baseline: Baseline | None) -> bool:
    """The estimate is of the suite's own run that differences are taken to."""
    if baseline is None or baseline.elsewhere:
        return False
    return (estimate.model, estimate.prompt) == (baseline.model, baseline.prompt)


def _verdict(rule: Rule, estimate: Estimate) -> Verdict:
    outcome, reason = _relative(rule, estimate) if rule.no_worse_by is not None else _absolute(rule, estimate)
    return Verdict(
        suite=estimate.suite,
        model=estimate.model,
        prompt=estimate.prompt,
        metric=estimate.metric,
        slice=estimate.slice,
        rule=sentence(rule),
        outcome=outcome,
        reason="; ".join(filter(None, [reason, stopped(estimate)])),
    )


def stopped(estimate: Estimate) -> str:
    """Return that the budget ended the run early, in words; empty where it did not."""
    if not estimate.unasked:
        return ""
    asked = estimate.examples - estimate.unasked
    return f"stopped by budget after {asked:,} of {estimate.examples:,} examples, drawn at random"


def sentence(rule: Rule) -> str:
    """Return the rule as a person reads it, e.g. ``label_accuracy at least 0.8``."""
    if rule.no_worse_by is not None:
        bound = f"no worse than the baseline by more than {rule.no_worse_by:g}"
    elif rule.at_least is not None:
        bound = f"at least {rule.at_least:g}"
    else:
        bound = f"at most {rule.at_most:g}"
    cut = "" if rule.slice == OVERALL else f" over {rule.slice}"
    return f"{rule.metric}{cut} {bound}"


def _absolute(rule: Rule, estimate: Estimate) -> tuple[Outcome, str]:
    ends = (estimate.value, estimate.low, estimate.high)
    return _decided(ends, estimate.n, Bounds(rule.at_least, rule.at_most), estimate.reason, "value")


def _relative(rule: Rule, estimate: Estimate) -> tuple[Outcome, str]:
    ends = (estimate.difference, estimate.difference_low, estimate.difference_high)
    margin = rule.no_worse_by or 0.0
    better = estimate.higher_is_better
    bounds = Bounds(at_least=-margin) if better else Bounds(at_most=margin)
    why = (
        "too few examples are shared with the baseline" if estimate.baseline else "the baseline was not asked"
    )
    return _decided(ends, estimate.n, bounds, why, "difference")


def _decided(
    ends: tuple[float | None, float | None, float | None],
    n: int,
    bounds: Bounds,
    reason: str | None,
    what: str,
) -> tuple[Outcome, str]:
    value, low, high = ends
    bound = bounds.at_least if bounds.at_least is not None else bounds.at_most
    if value is None or bound is None:
        return "inconclusive", reason or f"no {what} is known"
    if low is None and high is None:
        return "inconclusive", f"{what} {value:.4g} has no interval: {reason or 'too few examples'}"
    outcome = decide(low, high, at_least=bounds.at_least, at_most=bounds.at_most)
    shown = f"{what} {number(value)} {interval(low, high)}".rstrip()
    if outcome != "inconclusive":
        side = "meets" if outcome == "pass" else "misses"
        return outcome, f"{shown} {side} {bound:g}"
    wanted = examples_to_decide(value, low, high, n, bound)
    more = f"; about {wanted:,} examples in all would decide it one time in two" if wanted else ""
    return outcome, f"{shown} includes {bound:g}{more}"
