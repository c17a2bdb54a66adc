"""A suite's report as Markdown for a pull request."""

import re
from collections.abc import Iterator, Sequence

from llmops.explanation import Explanation
from llmops.flips import Flip, Shift
from llmops.numbers import UNKNOWN, dollars, interval, number
from llmops.records import Estimate, Verdict
from llmops.reports.told import (
    Link,
    Told,
    beyond_chance,
    counted,
    difference,
    moved,
    ordered,
    overall,
    shortened,
    shown,
    wanted,
)
from llmops.visible import visible

ROOM = 60_000
"""Characters: a comment on GitHub holds 65,536."""


def markdown(told: Told) -> str:
    """Return the report; text from outside is escaped, so that it can neither link, mention nor format.

    What moved is told of as many runs as a comment has room for.
    """
    text = _text(_head(told))
    end = _text(_sources(told))
    for place, change in enumerate(told.changes):
        more = _text(_changed(change))
        if len(text) + len(more) + len(end) > ROOM:
            left = len(told.changes) - place
            text += f"\n… and {left:,} more runs; `--format html` shows them.\n"
            break
        text += more
    return text + end


def _text(lines: Iterator[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def escaped(text: str) -> str:
    r"""Return text that Markdown shows as it stands.

    >>> escaped("*hi* @ada <b> |")
    '\\*hi\\* &#64;ada &lt;b&gt; \\|'
    """
    return _marked(visible(shortened(text)))


def _marked(text: str) -> str:
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    marked = re.sub(r"([\\`*_{}\[\]()#+!|~]|(?<!\w)-(?=\s)|^-)", r"\\\1", safe)
    return marked.replace("@", "&#64;").replace("://", ":&#47;&#47;").replace("www.", "www&#46;")


def _head(told: Told) -> Iterator[str]:
    yield f"# {escaped(told.suite)}: {counted(told.verdicts)}"
    yield ""
    pressing = [v for v in ordered(told.verdicts) if v.outcome != "pass"]
    passed = [v for v in told.verdicts if v.outcome == "pass"]
    yield from map(_bullet, pressing)
    if passed:
        yield from _folded(f"{len(passed):,} pass", [_bullet(verdict) for verdict in passed])
    yield from ("", "| run | metric | value | interval | difference | n | missing | cost |", "|---" * 8 + "|")
    yield from map(_row, overall(told))
    if lines := wanted(told):
        yield from ("", *(f"- {_marked(visible(line))}" for line in lines))
    count, found = beyond_chance(told)
    if found:
        yield from _folded(count, [f"- {_marked(visible(each))}" for each in found])


def _bullet(verdict: Verdict) -> str:
    where = escaped(f"{verdict.model} · {verdict.prompt}")
    reason = _marked(visible(verdict.reason))
    return f"- **{verdict.outcome}** {where}: {escaped(verdict.rule)}: {reason}"


def _folded(summary: str, lines: Sequence[str]) -> Iterator[str]:
    yield from ("", f"<details><summary>{summary}</summary>", "", *lines, "", "</details>")


def _row(e: Estimate) -> str:
    run = escaped(f"{e.model} · {e.prompt}")
    cells = [run, escaped(e.metric), number(e.value), interval(e.low, e.high), difference(e)]
    return "| " + " | ".join([*cells, f"{e.n:,}", f"{e.missing:,}", dollars(e.cost_usd)]) + " |"


def _changed(change: Explanation) -> Iterator[str]:
    yield from ("", f"## {escaped(change.before)} → {escaped(change.after)}", "")
    inputs = list(dict.fromkeys(each.input for each in change.changes))
    yield f"Changed: {', '.join(inputs)}." if inputs else "No changed input is known."
    for shift in change.shifts:
        yield from _moved(shift, shown(change.flips, shift.metric))


def _moved(shift: Shift, flips: list[Flip]) -> Iterator[str]:
    count = f"**{shift.fixed:,} fixed, {shift.broke:,} broke**"
    yield from ("", f"{escaped(shift.metric)} {moved(shift)}: {count}")
    if flips:
        of = shift.fixed + shift.broke
        yield from _folded(f"{len(flips):,} of {of:,} examples", [_flip(flip) for flip in flips])


def _flip(flip: Flip) -> str:
    answers = f"{escaped(flip.answer_before)} → {escaped(flip.answer_after)}"
    target = UNKNOWN if flip.target is None else escaped(flip.target)
    return f"- {flip.outcome} {escaped(flip.example_id)}: {escaped(flip.input)}: {answers} (target {target})"


def _sources(told: Told) -> Iterator[str]:
    if told.links or told.files:
        yield ""
    yield from map(_link, told.links)
    if told.files:
        yield f"- files: {', '.join(f'`{file}`' for file in told.files)}"


def _link(link: Link) -> str:
    found = f"[{link.run_id[:12]}]({link.url})" if link.url else f"`{link.run_id[:12]}`"
    return f"- {escaped(link.run)}: MLflow run {found}"
