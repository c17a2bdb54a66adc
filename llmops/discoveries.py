"""All differences to the baseline as one family: which of them are more than chance."""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from llmops.records import Estimate
from llmops.stats.multiple import benjamini_hochberg, p_of_interval


def with_q(estimates: Sequence[Estimate]) -> list[Estimate]:
    """Return the estimates, those with an interval around their difference also with their q-value.

    The family is metric × slice × model × prompt of one suite. Slices and metrics of the same answers
    depend on each other positively, under which Benjamini and Hochberg's method holds.
    """
    known = [place for place, each in enumerate(estimates) if _p(each) is not None]
    adjusted = benjamini_hochberg([p for each in estimates if (p := _p(each)) is not None])
    found = list(estimates)
    for place, q in zip(known, adjusted, strict=True):
        found[place] = replace(found[place], q=q)
    return found


def _p(each: Estimate) -> float | None:
    if each.difference is None or each.difference_low is None or each.difference_high is None:
        return None
    return p_of_interval(each.difference, each.difference_low, each.difference_high, each.confidence)


def family(estimates: Iterable[Estimate]) -> int:
    """Return how many differences were looked at together."""
    return sum(each.q is not None for each in estimates)


def discovered(estimates: Iterable[Estimate]) -> list[Estimate]:
    """Return those whose difference is more than chance, but for a share of 1 − confidence on average."""
    return [each for each in estimates if each.q is not None and each.q <= 1 - each.confidence]
