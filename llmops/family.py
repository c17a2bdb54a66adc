"""A gate's rules as one family of claims, each decided at the confidence that their number asks for.

How this fits "pass when the whole interval is on the right side": docs/statistics.md.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from llmops.records import Estimate, Limits, Outcome
from llmops.stats.decide import decide
from llmops.stats.multiple import step_down
from llmops.suites import Baseline, Rule, Suite, margin

COMPLETE = "complete"
"""Method of a count that is no estimate, so that nothing claimed of it can be an error."""

HOLM = "Holm over"
OWN_NOTE = "at the rule's own confidence"
OWN = 0
"""In the place of a number of comparisons: at the rule's own confidence, whatever the others are."""


class Claim(NamedTuple):
    """A rule, of one estimate."""

    rule: Rule
    estimate: Estimate


class Ends(NamedTuple):
    """What is held to the bounds: the value or the difference, and the interval around it."""

    value: float | None
    low: float | None
    high: float | None
    confidence: float


class Bounds(NamedTuple):
    """What it is held to: one of the two, or both."""

    at_least: float | None = None
    at_most: float | None = None


class Decision(NamedTuple):
    """A claim's outcome, at the interval that it was last tested with."""

    outcome: Outcome
    ends: Ends
    note: str = ""
    """The correction in words; empty where there is none."""


def claims(suite: Suite, estimates: Sequence[Estimate]) -> Iterator[Claim]:
    """Yield every rule with each of the estimates that it speaks of, in the order of the rules."""
    for rule in suite.rules:
        named = (e for e in estimates if (e.metric, e.slice) == (rule.metric, rule.slice))
        yield from (Claim(rule, e) for e in named if _speaks_of(rule, e, suite.baseline))


def _speaks_of(rule: Rule, estimate: Estimate, baseline: Baseline | None) -> bool:
    return (
        (not rule.models or estimate.model in rule.models)
        and (not rule.prompts or estimate.prompt in rule.prompts)
        and not (margin(rule) is not None and _is_baseline(estimate, baseline))
    )


def _is_baseline(estimate: Estimate, baseline: Baseline | None) -> bool:
    """The estimate is of the suite's own run that differences are taken to."""
    if baseline is None or baseline.elsewhere:
        return False
    return (estimate.model, estimate.prompt) == (baseline.model, baseline.prompt)


def family(found: Sequence[Claim]) -> list[int]:
    """Return the places of the claims that share the error between them.

    They are those on estimates, not on complete counts, by rules without a confidence of their own.
    """
    return [i for i, claim in enumerate(found) if _may_err(claim) and claim.rule.confidence is None]


def _may_err(claim: Claim) -> bool:
    return claim.estimate.method != COMPLETE


def bounds(claim: Claim) -> Bounds:
    """Return what the claim's value or difference is held to."""
    rule, wide = claim.rule, margin(claim.rule)
    if wide is None:
        return Bounds(rule.at_least, rule.at_most)
    if rule.equivalent_within is not None:
        return Bounds(-wide, wide)
    return Bounds(at_least=-wide) if claim.estimate.higher_is_better else Bounds(at_most=wide)


def decisions(found: Sequence[Claim]) -> list[Decision]:
    """Return each claim's decision: by Holm over the family where the estimates hold its intervals.

    The passes are one family and the fails another, each stepping down by itself: the chance that
    any pass is wrong, and the chance that any fail is, both stay below half of 1 − confidence.
    """
    decided = [_alone(claim) for claim in found]
    places = family(found)
    if len(places) < 2:
        return decided
    note = f"{HOLM} {len(places)} comparisons"
    if not any(limits.comparisons for place in places for limits in found[place].estimate.limits):
        note = f"one of {len(places)} comparisons, not corrected"
        return [d._replace(note=note) if i in places else d for i, d in enumerate(decided)]
    members = [found[place] for place in places]
    passing, failing = (_tested(members, outcome) for outcome in ("pass", "fail"))
    for place, for_pass, for_fail in zip(places, passing, failing, strict=True):
        decided[place] = _either(found[place], for_pass, for_fail)._replace(note=note)
    return decided


def _alone(claim: Claim) -> Decision:
    """Return the claim's decision at its rule's own confidence, or at that of its estimate."""
    own = claim.rule.confidence
    if own is None or not _may_err(claim):
        return _at(claim, None)
    return _at(claim, OWN)._replace(note=OWN_NOTE)


def _tested(members: Sequence[Claim], outcome: Outcome) -> list[int]:
    return step_down(len(members), lambda claim, among: _at(members[claim], among).outcome == outcome)


def _either(claim: Claim, for_pass: int, for_fail: int) -> Decision:
    """Return the pass or the fail that stands; else, as inconclusive, the test that came closer."""
    passing, failing = _at(claim, for_pass), _at(claim, for_fail)
    return failing if "fail" in (failing.outcome, passing.outcome) else passing


def _at(claim: Claim, comparisons: int | None) -> Decision:
    """Return the claim's decision by its interval among so many comparisons; by its own where None."""
    ends, held = _ends(claim, comparisons), bounds(claim)
    if ends.value is None or (ends.low is None and ends.high is None):
        return Decision("inconclusive", ends)
    return Decision(decide(ends.low, ends.high, at_least=held.at_least, at_most=held.at_most), ends)


def _ends(claim: Claim, comparisons: int | None) -> Ends:
    e = claim.estimate
    found: Estimate | Limits | None = e
    wanted = e.confidence
    if comparisons is not None:
        wanted = claim.rule.confidence or among(e.confidence, comparisons)
        found = _limits_of(e, comparisons, wanted)
    relative = margin(claim.rule) is not None
    value = e.difference if relative else e.value
    if found is None:
        return Ends(value, None, None, wanted)
    if relative:
        return Ends(value, found.difference_low, found.difference_high, found.confidence)
    return Ends(value, found.low, found.high, found.confidence)


def _limits_of(estimate: Estimate, comparisons: int, confidence: float) -> Limits | None:
    at = (limits for limits in estimate.limits if limits.comparisons == comparisons)
    return next((limits for limits in at if math.isclose(limits.confidence, confidence)), None)


def among(confidence: float, comparisons: int) -> float:
    """Return the confidence of each of several intervals that together have this one (Bonferroni)."""
    return 1 - (1 - confidence) / comparisons


def with_limits(
    suite: Suite,
    estimates: Sequence[Estimate],
    again: Callable[[float], Sequence[Estimate]],
    corrected: bool = True,
) -> list[Estimate]:
    """Return the estimates with the intervals that the rules ask for.

    They are those among 1, 2, … comparisons, then those at the confidences of rules that have their own.

    Args:
        again: confidence → the same estimates with their intervals at it.
        corrected: the other rules share the error between them.
    """
    limits: dict[_Place, list[Limits]] = defaultdict(list)
    for wanted in _wanted(list(claims(suite, estimates)), corrected):
        for estimate in estimates if wanted.comparisons == 1 else again(wanted.confidence):
            if _place(estimate) in wanted.places:
                limits[_place(estimate)].append(_limits(estimate, wanted.comparisons))
    return [replace(e, limits=limits.get(_place(e), [])) for e in estimates]


_Place = tuple[str, ...]


class _Wanted(NamedTuple):
    """A confidence that some estimates need their intervals at."""

    comparisons: int
    confidence: float
    places: set[_Place]


def _wanted(found: Sequence[Claim], corrected: bool) -> Iterator[_Wanted]:
    shared = [found[i].estimate for i in family(found)] if corrected else []
    for comparisons in range(1, len(shared) + 1):
        confidence = among(shared[0].confidence, comparisons)
        yield _Wanted(comparisons, confidence, {_place(estimate) for estimate in shared})
    apart = [(c.rule.confidence, c.estimate) for c in found if c.rule.confidence and _may_err(c)]
    for confidence in sorted({own for own, _ in apart}):
        yield _Wanted(OWN, confidence, {_place(e) for own, e in apart if own == confidence})


def _place(estimate: Estimate) -> _Place:
    return estimate.model, estimate.prompt, estimate.metric, estimate.slice


def _limits(e: Estimate, comparisons: int) -> Limits:
    return Limits(comparisons, e.confidence, e.low, e.high, e.difference_low, e.difference_high)
