"""A suite's report as Markdown for a pull request."""

import re
from collections.abc import Iterator

from llmops.explanation import Explanation
from llmops.flips import Flip, Shift
from llmops.numbers import UNKNOWN, dollars, interval, number
from llmops.records import OVERALL, Estimate
from llmops.reports.told import Told, difference, shortened, shown
from llmops.visible import visible


def markdown(told: Told) -> str:
    """Return the report; text from outside is escaped, so that it can neither link, mention nor format."""
    return "\n".join(_lines(told)) + "\n"


def escaped(text: str) -> str:
    r"""Return text that Markdown shows as it stands.

    >>> escaped("*hi* @ada <b> |")
    '\\*hi\\* &#64;ada &lt;b&gt; \\|'
    """
    return _marked(visible(shortened(text)))


def _marked(text: str) -> str:
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    marked = re.sub(r"([\\`*_{}\[\]()#+!|~-])", r"\\\1", safe)
    return marked.replace("@", "&#64;").replace("://", ":&#47;&#47;").replace("www.", "www&#46;")


def _lines(told: Told) -> Iterator[str]:
    yield f"# {escaped(told.suite)}"
    yield ""
    for verdict in told.verdicts:
        where = f"{verdict.model} · {verdict.prompt}"
        reason = _marked(visible(verdict.reason))
        yield f"- **{verdict.outcome}** {escaped(where)}: {escaped(verdict.rule)}: {reason}"
    if not told.verdicts:
        yield "No rules."
    yield from ("", "| run | metric | value | interval | difference | n | missing | cost |", "|---" * 8 + "|")
    yield from (_row(e) for e in told.estimates if e.slice == OVERALL and e.policy is not None)
    for change in told.changes:
        yield from _changed(change)


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
    ends = f"{number(shift.before)} → {number(shift.after)} {interval(shift.low, shift.high)}"
    yield from ("", f"{escaped(shift.metric)} {ends}: **{shift.fixed:,} fixed, {shift.broke:,} broke**", "")
    for flip in flips:
        answers = f"{escaped(flip.answer_before)} → {escaped(flip.answer_after)}"
        target = UNKNOWN if flip.target is None else escaped(flip.target)
        asked = f"{escaped(flip.example_id)}: {escaped(flip.input)}"
        yield f"- {flip.outcome} {asked}: {answers} (target {target})"
