"""What a report tells of a suite, before it has a format."""

from collections.abc import Iterable

from llmops.discoveries import discovered, family
from llmops.explanation import Explanation
from llmops.flips import Flip, Shift
from llmops.numbers import UNKNOWN, interval, number
from llmops.record import Record
from llmops.records import OVERALL, Estimate, Outcome, Verdict
from llmops.report import rows, wanted_labels

LONGEST = 120
"""Characters of an input or an answer that are shown."""
FLIPS = 10
"""Examples of each outcome that are shown of a metric."""
ORDER: tuple[Outcome, ...] = ("fail", "inconclusive", "pass")
"""Verdicts as they are told: first what needs a person."""


class Link(Record):
    """Where a run is found in MLflow."""

    run: str
    run_id: str
    url: str | None
    """None where the store is a file that has no server of its own."""


class Told(Record):
    """Everything that the formats draw from."""

    suite: str
    against: str | None
    """What the changes are taken to; None where that is the suite's own baseline, if it has one."""
    verdicts: list[Verdict]
    estimates: list[Estimate]
    changes: list[Explanation]
    """Of each run, what moved."""
    links: list[Link] = []
    files: list[str] = []
    """What it was told from, below the project's folder."""


def shortened(text: str) -> str:
    """Return the text on one line, cut in the middle."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST // 2 - 1]}…{line[-LONGEST // 2 :]}"


def ordered(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Return the verdicts, those that fail first and those that pass last."""
    return sorted(verdicts, key=lambda verdict: ORDER.index(verdict.outcome))


def counted(verdicts: Iterable[Verdict]) -> str:
    """Return how many verdicts there are of each outcome, e.g. ``1 fail, 18 pass``."""
    outcomes = [verdict.outcome for verdict in verdicts]
    present = (outcome for outcome in ORDER if outcome in outcomes)
    return ", ".join(f"{outcomes.count(outcome):,} {outcome}" for outcome in present) or "no rules"


def beyond_chance(told: Told) -> tuple[str, list[str]]:
    """Return how many of all differences are more than chance, and each of them in words."""
    of, found = family(told.estimates), discovered(told.estimates)
    count = f"{len(found):,} of {of:,} differences to the baseline are more than chance"
    return f"{count} (metric × slice × model × prompt; Benjamini–Hochberg)", [_in_words(e) for e in found]


def _in_words(e: Estimate) -> str:
    where = "" if e.slice == OVERALL else f" over {e.slice}"
    return f"{e.model} · {e.prompt}: {e.metric}{where}: {difference(e)}, q {e.q:.2g}"


def wanted(told: Told) -> list[str]:
    """Return a line for each score that is corrected by labels: how many more would halve its interval."""
    return wanted_labels(rows(told.estimates, ()))


def overall(told: Told) -> list[Estimate]:
    """Return the estimates of a suite's metrics over all examples."""
    return [e for e in told.estimates if e.slice == OVERALL and e.policy is not None]


def difference(estimate: Estimate) -> str:
    """Return the difference to the baseline with its interval, a dash where there is none."""
    return _signed(estimate.difference, estimate.difference_low, estimate.difference_high)


def moved(shift: Shift) -> str:
    """Return how a metric moved, e.g. ``0.8 → 0.75, -0.05 [-0.08, -0.02]``."""
    change = _signed(shift.difference, shift.low, shift.high)
    return f"{number(shift.before)} → {number(shift.after)}, {change}"


def _signed(value: float | None, low: float | None, high: float | None) -> str:
    return UNKNOWN if value is None else f"{value:+.4g} {interval(low, high)}".rstrip()


def shown(flips: list[Flip], metric: str) -> list[Flip]:
    """Return the flips of a metric that a report has room for, those that broke first."""
    own = [flip for flip in flips if flip.metric == metric]
    broke = [flip for flip in own if flip.outcome == "broke"]
    fixed = [flip for flip in own if flip.outcome == "fixed"]
    return broke[:FLIPS] + fixed[:FLIPS]
