"""A suite's report as one HTML file, without script or remote resource."""

from collections.abc import Iterator
from html import escape

from llmops.explanation import Explanation
from llmops.numbers import dollars, interval, number
from llmops.records import OVERALL, Estimate
from llmops.reports.told import Told, difference, shortened, shown
from llmops.visible import visible

STYLE = """:root{color-scheme:light dark}
body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;
background:Canvas;color:CanvasText}
table{border-collapse:collapse;display:block;overflow-x:auto}
td,th{padding:.3rem .7rem;text-align:left;border-bottom:1px solid GrayText}
.pass{color:light-dark(#116329,#57d364)}.fail{color:light-dark(#a40e26,#ff7b72)}
.inconclusive{color:light-dark(#7d4e00,#e3b341)}
svg{display:block}line{stroke:currentColor;stroke-width:2}circle{fill:currentColor}"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
WIDTH = 160
"""Of an interval's plot, in pixels: from 0 to 1."""


def page(told: Told) -> str:
    """Return the page, light or dark as the reader's system is."""
    return "\n".join(_lines(told)) + "\n"


def _safe(text: str) -> str:
    return escape(visible(shortened(text)))


def _lines(told: Told) -> Iterator[str]:
    yield '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    yield '<meta name="viewport" content="width=device-width">'
    yield f"<title>{_safe(told.suite)}</title><style>{STYLE}</style></head><body><h1>{_safe(told.suite)}</h1>"
    yield "<h2>Rules</h2><ul>"
    for v in told.verdicts:
        outcome = f'<strong class="{v.outcome}">{v.outcome}</strong>'
        yield f"<li>{outcome} {_safe(f'{v.model} · {v.prompt}: {v.rule}')}: {escape(visible(v.reason))}</li>"
    yield "</ul><h2>Estimates</h2><table><tr>"
    heads = ("run", "metric", "value", "interval", "0 to 1", "difference", "n", "missing", "cost")
    yield "".join(f'<th scope="col">{head}</th>' for head in heads) + "</tr>"
    yield from (_row(e) for e in told.estimates if e.slice == OVERALL and e.policy is not None)
    yield "</table>"
    for change in told.changes:
        yield from _changed(change)
    yield "</body></html>"


def _row(e: Estimate) -> str:
    cells = [_safe(f"{e.model} · {e.prompt}"), _safe(e.metric), number(e.value), interval(e.low, e.high)]
    cells += [_plot(e), difference(e), f"{e.n:,}", f"{e.missing:,}", dollars(e.cost_usd)]
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _plot(e: Estimate) -> str:
    """Return the interval drawn from 0 to 1; nothing where the metric leaves that range."""
    if e.value is None or e.low is None or e.high is None or e.low < 0 or e.high > 1:
        return ""
    low, value, high = (f"{8 + end * (WIDTH - 16):.1f}" for end in (e.low, e.value, e.high))
    said = f"{number(e.value)} {interval(e.low, e.high)}"
    return (
        f'<svg width="{WIDTH}" height="16" role="img" aria-label="{said}">'
        f'<line x1="{low}" y1="8" x2="{high}" y2="8"/><circle cx="{value}" cy="8" r="4"/></svg>'
    )


def _changed(change: Explanation) -> Iterator[str]:
    yield f"<h2>{_safe(change.before)} → {_safe(change.after)}</h2>"
    for shift in change.shifts:
        moved = (
            f"{number(shift.before)} → {number(shift.after)}: {shift.fixed:,} fixed, {shift.broke:,} broke"
        )
        yield f"<h3>{_safe(shift.metric)} {moved}</h3><ul>"
        for f in shown(change.flips, shift.metric):
            answers = f"{_safe(f.answer_before)} → {_safe(f.answer_after)}"
            yield f"<li>{f.outcome} {_safe(f.example_id)}: {_safe(f.input)}: {answers}</li>"
        yield "</ul>"
