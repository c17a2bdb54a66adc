"""A suite's report as one HTML file, without script or remote resource."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from html import escape
from typing import NamedTuple

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

STYLE = """:root{color-scheme:light dark}
body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;
background:Canvas;color:CanvasText;overflow-wrap:anywhere}
h1{margin-bottom:0}h2{margin-top:2.5rem}ul{padding-left:1.2rem}li{margin:.3rem 0}summary{cursor:pointer}
.wide{overflow-x:auto;overflow-wrap:normal}table{border-collapse:collapse}
td,th{padding:.3rem .7rem;text-align:left;border-bottom:1px solid #8886;vertical-align:top}
tbody th{padding-top:1.2rem;white-space:nowrap}tbody th span{font-weight:normal}
.number{white-space:nowrap;text-align:right;font-variant-numeric:tabular-nums}.run{white-space:nowrap}
.pass{color:light-dark(#116329,#57d364)}.fail,.broke{color:light-dark(#a40e26,#ff7b72)}
.inconclusive{color:light-dark(#7d4e00,#e3b341)}.fixed{color:light-dark(#116329,#57d364)}
svg{display:block;margin:.2rem 0}line{stroke:currentColor;stroke-width:2}circle{fill:currentColor}
thead th:not(:first-child){text-align:right}
@media(max-width:40rem){table{font-size:13px}td,th{padding:.3rem .4rem}.flips td:nth-child(2){display:none}
.flips th:nth-child(2){display:none}}"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
WIDTH = 160
"""Of an interval's plot, in pixels."""
HEADS = ("run", "value", "interval", "", "difference", "n", "missing", "cost")
FLIP_HEADS = ("", "example", "input", "before", "after", "target")


class Axis(NamedTuple):
    """What the plots of one metric have in common: the ends of its intervals."""

    low: float
    high: float


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
    yield f"<p>{counted(told.verdicts)}</p>"
    yield from _rules(told.verdicts)
    yield from _estimates(overall(told))
    yield from _beyond_chance(told)
    for change in told.changes:
        yield from _changed(change)
    yield from _sources(told)
    yield "</body></html>"


def _rules(verdicts: Sequence[Verdict]) -> Iterator[str]:
    pressing = [v for v in ordered(verdicts) if v.outcome != "pass"]
    passed = [v for v in verdicts if v.outcome == "pass"]
    if pressing:
        yield f"<ul>{''.join(map(_verdict, pressing))}</ul>"
    if passed:
        rules = "".join(map(_verdict, passed))
        yield f"<details><summary>{len(passed):,} pass</summary><ul>{rules}</ul></details>"


def _verdict(v: Verdict) -> str:
    outcome = f'<strong class="{v.outcome}">{v.outcome}</strong>'
    return f"<li>{outcome} {_safe(f'{v.model} · {v.prompt}: {v.rule}')}: {escape(visible(v.reason))}</li>"


def _estimates(found: Sequence[Estimate]) -> Iterator[str]:
    by_metric: dict[str, list[Estimate]] = defaultdict(list)
    for estimate in found:
        by_metric[estimate.metric].append(estimate)
    if not by_metric:
        return
    yield f'<h2>Estimates</h2><div class="wide"><table><thead>{_heads(HEADS)}</thead>'
    for metric, group in by_metric.items():
        axis = _axis(group)
        drawn = f" <span>drawn from {number(axis.low)} to {number(axis.high)}</span>" if axis else ""
        title = f'<th scope="rowgroup" colspan="{len(HEADS)}">{_safe(metric)}{drawn}</th>'
        yield f"<tbody><tr>{title}</tr>{''.join(_row(e, axis) for e in group)}</tbody>"
    yield "</table></div>"


def _beyond_chance(told: Told) -> Iterator[str]:
    if labels := wanted(told):
        yield f"<ul>{''.join(f'<li>{escape(visible(line))}</li>' for line in labels)}</ul>"
    count, found = beyond_chance(told)
    if found:
        lines = "".join(f"<li>{escape(visible(each))}</li>" for each in found)
        yield f"<details><summary>{escape(count)}</summary><ul>{lines}</ul></details>"


def _heads(heads: Sequence[str]) -> str:
    return "<tr>" + "".join(f'<th scope="col">{head}</th>' for head in heads) + "</tr>"


def _axis(group: Sequence[Estimate]) -> Axis | None:
    ends = [end for e in group for end in (e.low, e.value, e.high) if end is not None]
    return Axis(min(ends), max(ends)) if ends and min(ends) < max(ends) else None


def _row(e: Estimate, axis: Axis | None) -> str:
    numbers = [f"{e.n:,}", f"{e.missing:,}", dollars(e.cost_usd)]
    run = f'<td class="run">{_safe(f"{e.model} · {e.prompt}")}</td>'
    left = _numbers([number(e.value), interval(e.low, e.high)])
    return f"<tr>{run}{left}<td>{_plot(e, axis)}</td>{_numbers([difference(e), *numbers])}</tr>"


def _numbers(cells: Sequence[str]) -> str:
    return "".join(f'<td class="number">{cell}</td>' for cell in cells)


def _plot(e: Estimate, axis: Axis | None) -> str:
    """Return the interval drawn along the metric's axis; nothing where an end is not known."""
    if axis is None or e.value is None or e.low is None or e.high is None:
        return ""
    scale = (WIDTH - 16) / (axis.high - axis.low)
    low, value, high = (f"{8 + scale * (end - axis.low):.1f}" for end in (e.low, e.value, e.high))
    said = f"{number(e.value)} {interval(e.low, e.high)}"
    return (
        f'<svg width="{WIDTH}" height="16" role="img" aria-label="{said}">'
        f'<line x1="{low}" y1="8" x2="{high}" y2="8"/><circle cx="{value}" cy="8" r="4"/></svg>'
    )


def _changed(change: Explanation) -> Iterator[str]:
    yield f"<h2>{_safe(change.before)} → {_safe(change.after)}</h2>"
    inputs = list(dict.fromkeys(each.input for each in change.changes))
    yield f"<p>Changed: {', '.join(inputs)}.</p>" if inputs else "<p>No changed input is known.</p>"
    for shift in change.shifts:
        yield from _moved(shift, shown(change.flips, shift.metric))


def _moved(shift: Shift, flips: Sequence[Flip]) -> Iterator[str]:
    count = f"<strong>{shift.fixed:,} fixed, {shift.broke:,} broke</strong>"
    yield f"<h3>{_safe(shift.metric)}</h3><p>{moved(shift)}: {count}</p>"
    if flips:
        of = shift.fixed + shift.broke
        yield f"<details><summary>{len(flips):,} of {of:,} examples</summary>"
        yield f'<div class="wide"><table class="flips">{_heads(FLIP_HEADS)}'
        yield from map(_flip, flips)
        yield "</table></div></details>"


def _flip(flip: Flip) -> str:
    target = UNKNOWN if flip.target is None else flip.target
    said = (flip.example_id, flip.input, flip.answer_before, flip.answer_after, target)
    cells = "".join(f"<td>{_safe(text)}</td>" for text in said)
    return f'<tr><td class="{flip.outcome}">{flip.outcome}</td>{cells}</tr>'


def _sources(told: Told) -> Iterator[str]:
    if not (told.links or told.files):
        return
    files = ", ".join(f"<code>{escape(file)}</code>" for file in told.files)
    yield f"<h2>Sources</h2><ul>{''.join(map(_link, told.links))}<li>files: {files}</li></ul>"


def _link(link: Link) -> str:
    shown_id = escape(link.run_id[:12])
    found = f'<a href="{escape(link.url)}">{shown_id}</a>' if link.url else f"<code>{shown_id}</code>"
    return f"<li>{_safe(link.run)}: MLflow run {found}</li>"
