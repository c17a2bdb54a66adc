"""Rules held against Estimates: each rule's outcome on each run, in words."""

import math
from collections.abc import Iterable, Iterator, Mapping

from msgspec.structs import replace

from llmops.config import PARAMS
from llmops.errors import UserError
from llmops.family import HOLM, OWN_NOTE, Bounds, Claim, Decision, bounds, claims, decisions
from llmops.numbers import interval, number
from llmops.records import OVERALL, Estimate, Outcome, Verdict
from llmops.stats.decide import examples_to_decide
from llmops.suites import Rule, Suite, margin


def worst(outcomes: Iterable[Outcome]) -> Outcome | None:
    """Return the outcome of all together: any fail outranks any inconclusive; None when there are none."""
    order: tuple[Outcome, ...] = ("fail", "inconclusive", "pass")
    seen = set(outcomes)
    return next((outcome for outcome in order if outcome in seen), None)


_WIDENED = (HOLM, OWN_NOTE)
"""How a decision's note begins where its interval's confidence is not that of all others."""
STOPPED_BEFORE_JUDGED = "a sequential test stopped the run, for which a judged interval does not allow"
NO_JUDGES: Mapping[str, str] = {}


def verdicts(
    name: str, suite: Suite, estimates: list[Estimate], uncertified: Mapping[str, str] = NO_JUDGES
) -> Iterator[Verdict]:
    """Yield one verdict for each rule and each run that it speaks of.

    Args:
        uncertified: metric → why its judge may not gate; what it says is then inconclusive.

    Raises:
        UserError: a rule names a metric or a slice that no estimate has.
    """
    for place, rule in enumerate(suite.rules, 1):
        _check_measured(rule, estimates, f"{PARAMS}: suites: {name}: rules[{place}]")
    found = list(claims(suite, estimates))
    for claim, decision in zip(found, decisions(found), strict=True):
        verdict, reason = _verdict(claim, decision), uncertified.get(claim.rule.metric)
        if reason is not None:  # a judge that is not known to be right decides nothing
            yield _withheld(verdict, f"judge not certified: {reason}")
        elif judged(claim.rule, suite) and claim.estimate.decided:
            yield _withheld(verdict, STOPPED_BEFORE_JUDGED)
        else:
            yield verdict


def judged(rule: Rule, suite: Suite) -> bool:
    """Return whether a rule speaks of what a judge of the suite says."""
    return rule.metric.partition(" ")[0].partition(".")[0] in suite.judges


def _withheld(verdict: Verdict, reason: str) -> Verdict:
    return replace(verdict, outcome="inconclusive", reason=f"{reason}; {verdict.reason}")


def _check_measured(rule: Rule, estimates: list[Estimate], where: str) -> None:
    named = [e for e in estimates if e.metric == rule.metric]
    if not named:
        known = sorted({e.metric for e in estimates})
        raise UserError(f"{where}: metric: {rule.metric!r} is not measured; metrics are {known}")
    if not any(e.slice == rule.slice for e in named):
        known = sorted({e.slice for e in named})
        raise UserError(f"{where}: slice: {rule.slice!r} has no {rule.metric}; slices are {known}")


def _verdict(claim: Claim, decision: Decision) -> Verdict:
    rule, estimate = claim
    return Verdict(
        suite=estimate.suite,
        model=estimate.model,
        prompt=estimate.prompt,
        metric=estimate.metric,
        slice=estimate.slice,
        rule=sentence(rule),
        outcome=decision.outcome,
        reason="; ".join(
            filter(None, [_reason(claim, decision), _shared(claim), decision.note, stopped(estimate)])
        ),
    )


def _shared(claim: Claim) -> str:
    """Return over how few examples a difference is taken, in words; empty where it is over all."""
    rule, estimate = claim
    if margin(rule) is None or estimate.pairs is None:
        return ""
    return f"over the {estimate.pairs:,} of {estimate.n:,} examples that the baseline shares"


def stopped(estimate: Estimate) -> str:
    """Return what ended the run early, in words; empty where nothing did."""
    if not estimate.unasked:
        return ""
    asked = estimate.examples - estimate.unasked
    if estimate.decided == estimate.unasked:
        return f"stopped early by a sequential test after {asked:,} of {estimate.examples:,} examples"
    return f"stopped by budget after {asked:,} of {estimate.examples:,} examples, drawn at random"


def sentence(rule: Rule) -> str:
    """Return the rule as a person reads it, e.g. ``label_accuracy at least 0.8``."""
    if rule.no_worse_by is not None:
        bound = f"no worse than the baseline by more than {rule.no_worse_by:g}"
    elif rule.equivalent_within is not None:
        bound = f"within {rule.equivalent_within:g} of the baseline"
    elif rule.at_least is not None:
        bound = f"at least {rule.at_least:g}"
    else:
        bound = f"at most {rule.at_most:g}"
    cut = "" if rule.slice == OVERALL else f" over {rule.slice}"
    return f"{rule.metric}{cut} {bound}"


def _reason(claim: Claim, decision: Decision) -> str:
    value, low, high, _ = decision.ends
    what = "value" if margin(claim.rule) is None else "difference"
    if value is None:
        return _unknown(claim, decision) or f"no {what} is known"
    if low is None and high is None:
        why = _unknown(claim, decision) or "too few examples"
        return f"{what} {value:.4g} has no interval{_sureness(decision)}: {why}"
    shown = f"{what} {number(value)} {interval(low, high)}".rstrip() + _sureness(decision)
    held = bounds(claim)
    if decision.outcome != "inconclusive":
        side = "meets" if decision.outcome == "pass" else "misses"
        return f"{shown} {side} {_bound(held)}"
    nearest = min((b for b in held if b is not None), key=lambda bound: abs(value - bound))
    wanted = examples_to_decide(value, low, high, claim.estimate.n, nearest)
    more = f"; about {wanted:,} examples in all would decide it one time in two" if wanted else ""
    return f"{shown} includes {nearest:g}{more}"


def _sureness(decision: Decision) -> str:
    """Return the interval's confidence where it is not that of all others."""
    return f" at {100 * decision.ends.confidence:.4g} %" if decision.note.startswith(_WIDENED) else ""


def _bound(held: Bounds) -> str:
    if held.at_least is not None and held.at_most is not None:
        return f"±{held.at_most:g}"
    return f"{held.at_least if held.at_least is not None else held.at_most:g}"


def _unknown(claim: Claim, decision: Decision) -> str | None:
    """Return why the value, the difference or its interval is not known."""
    estimate, wanted = claim.estimate, decision.ends.confidence
    known = any(math.isclose(limits.confidence, wanted) for limits in estimate.limits)
    if decision.note.startswith(_WIDENED) and not known:
        return "the estimates are of other rules; run `llmops compare`"
    if margin(claim.rule) is None:
        return estimate.reason
    return (
        "too few examples are shared with the baseline" if estimate.baseline else "the baseline was not asked"
    )
