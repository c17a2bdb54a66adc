"""What a report tells of a suite, before it has a format."""

from llmops.explanation import Explanation
from llmops.flips import Flip
from llmops.numbers import UNKNOWN, interval
from llmops.records import Estimate, Record, Verdict

LONGEST = 120
"""Characters of an input or an answer that are shown."""
FLIPS = 10
"""Examples of each outcome that are shown of a metric."""


class Told(Record):
    """Everything that the formats draw from."""

    suite: str
    against: str | None
    """What the changes are taken to; None where the suite names nothing."""
    verdicts: list[Verdict]
    estimates: list[Estimate]
    changes: list[Explanation]
    """Of each run, what moved."""


def shortened(text: str) -> str:
    """Return the text on one line, cut in the middle."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST // 2 - 1]}…{line[-LONGEST // 2 :]}"


def shown(flips: list[Flip], metric: str) -> list[Flip]:
    """Return the flips of a metric that a report has room for, those that broke first."""
    own = [flip for flip in flips if flip.metric == metric]
    broke = [flip for flip in own if flip.outcome == "broke"]
    fixed = [flip for flip in own if flip.outcome == "fixed"]
    return broke[:FLIPS] + fixed[:FLIPS]


def difference(estimate: Estimate) -> str:
    """Return the difference to the baseline with its interval, a dash where there is none."""
    if estimate.difference is None:
        return UNKNOWN
    return f"{estimate.difference:+.4g} {interval(estimate.difference_low, estimate.difference_high)}"
