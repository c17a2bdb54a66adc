"""Why two runs' numbers differ, as a person reads it."""

from collections.abc import Iterator, Sequence

from llmops.flips import Flip, Shift
from llmops.manifest import INPUTS, Change, Input
from llmops.numbers import UNKNOWN, interval, number
from llmops.record import Record
from llmops.visible import visible

SHORT = 12
"""Characters of a hash that are shown."""
LONGEST = 60
"""Characters of an input or an answer that are shown."""
DIFF_LINES = 40
"""Lines of a prompt's difference that are shown."""


class Examples(Record):
    """How the examples of two runs differ."""

    added: int
    removed: int
    changed: int
    asked_before: int
    asked_after: int


class Explanation(Record):
    """What two runs do not share: their inputs, and then their numbers."""

    before: str
    after: str
    changes: list[Change]
    not_known: list[str]
    """Why the inputs of a run are not known; [] when they are."""
    examples: Examples
    prompt_diff: list[str]
    shifts: list[Shift]
    flips: list[Flip]


def lines(told: Explanation, limit: int) -> Iterator[str]:
    """Yield the explanation's lines, with at most ``limit`` flips of each metric, safe for a terminal."""
    for line in _lines(told, limit):
        yield visible(line)


def _lines(told: Explanation, limit: int) -> Iterator[str]:
    yield f"before  {told.before}"
    yield f"after   {told.after}"
    yield from (f"inputs not known: {reason}" for reason in told.not_known)
    yield from _inputs(told)
    for shift in told.shifts:
        yield from _shift(shift, [flip for flip in told.flips if flip.metric == shift.metric], limit)


def _inputs(told: Explanation) -> Iterator[str]:
    changed = dict.fromkeys(change.input for change in told.changes)
    for given in changed:
        yield from _input(given, told)
    asked = told.examples.asked_before, told.examples.asked_after
    if asked[0] != asked[1]:
        yield f"asked: {asked[0]:,} → {asked[1]:,} examples"
    same = [given for given in dict.fromkeys(INPUTS.values()) if given not in changed]
    if same and not told.not_known:
        yield f"unchanged: {', '.join(same)}"


def _input(given: Input, told: Explanation) -> Iterator[str]:
    found = [change for change in told.changes if change.input == given]
    name = next((f": {change.before} → {change.after}" for change in found if change.name == given), "")
    yield f"{given} changed{name}{_extent(given, told)}"
    for change in found:
        if change.name not in (given, "sha256.prompt"):
            yield f"  {change.name}: {_fact(change, change.before)} → {_fact(change, change.after)}"
    if given == "prompt":
        yield from (f"  {line}" for line in told.prompt_diff[:DIFF_LINES])
        if (rest := len(told.prompt_diff) - DIFF_LINES) > 0:
            yield f"  … and {rest} more lines"


def _fact(change: Change, value: str | None) -> str:
    if value is None:
        return UNKNOWN
    return value[:SHORT] if change.name.startswith(("sha256", "git.commit")) else value


def _extent(given: Input, told: Explanation) -> str:
    if given == "data":
        found = told.examples
        return f" ({found.added:,} examples added, {found.removed:,} removed, {found.changed:,} changed)"
    if given == "prompt":
        count = _differing(told.prompt_diff)
        return f" ({count} {'line differs' if count == 1 else 'lines differ'})" if count else ""
    return ""


def _differing(diff: Sequence[str]) -> int:
    """Return how many lines differ, a line that became another counted once."""
    marks = [line[0] for line in diff[2:]]
    return max(marks.count("+"), marks.count("-"))


def _shift(shift: Shift, flips: Sequence[Flip], limit: int) -> Iterator[str]:
    yield ""
    difference = UNKNOWN if shift.difference is None else f"{shift.difference:+.4g}"
    left = f", {shift.unpaired:,} in one run only" if shift.unpaired else ""
    yield (
        f"{shift.metric}: {number(shift.before)} → {number(shift.after)}, "
        f"{difference} {interval(shift.low, shift.high)} over {shift.pairs:,} pairs{left}"
    )
    yield f"{shift.fixed:,} fixed, {shift.broke:,} broke"
    for flip in _both_kinds(flips, limit):
        yield from _flip(flip)
    if len(flips) > limit:
        yield f"  … and {len(flips) - limit:,} more; --limit {len(flips)} shows them"


def _both_kinds(flips: Sequence[Flip], limit: int) -> list[Flip]:
    """Return the first of each kind, so that what broke does not hide what was fixed."""
    broke = [flip for flip in flips if flip.outcome == "broke"]
    fixed = [flip for flip in flips if flip.outcome == "fixed"]
    few = min(len(fixed), limit // 2)
    kept = broke[: limit - few]
    return kept + fixed[: limit - len(kept)]


def _flip(flip: Flip) -> Iterator[str]:
    note = " (the example changed)" if flip.changed else ""
    target = UNKNOWN if flip.target is None else _quoted(flip.target)
    yield f"  {flip.outcome} {flip.example_id}{note}: {_quoted(flip.input)}, target {target}"
    binary = {flip.before, flip.after} == {0.0, 1.0}
    values = "" if binary else f" ({number(flip.before)} → {number(flip.after)})"
    yield f"    {_quoted(flip.answer_before)} → {_quoted(flip.answer_after)}{values}"
    if flip.verdict_before or flip.verdict_after:
        yield f"    judged {_quoted(flip.verdict_before or '')} → {_quoted(flip.verdict_after or '')}"


def _quoted(text: str) -> str:
    """Return the text in quotes, cut in the middle: what an answer comes to often stands at its end."""
    shown = text.strip()
    if len(shown) > LONGEST:
        shown = f"{shown[: LONGEST // 2 - 1]}…{shown[-LONGEST // 2 :]}"
    return f"“{shown}”"
