"""Frames to pictures, in colours that colour-blind eyes tell apart on a light and on a dark ground."""

from typing import Any, Literal

import altair as alt
import pandas as pd
from words import say

Picture = alt.LayerChart | alt.FacetChart
COLOURS = ["#3487c9", "#d07a0a", "#159a78", "#c25fa0", "#d9502b", "#8a7a2f", "#7566c4", "#7d8790"]
OUTCOME_COLOURS = {"pass": "#3487c9", "fail": "#d9502b", "inconclusive": "#c08a1a", "no_rule": "#7d8790"}
OUTCOME_SHAPES = {"pass": "circle", "fail": "cross", "inconclusive": "diamond", "no_rule": "circle"}
DASHES = [[1, 0], [9, 3], [4, 3], [9, 3, 2, 3]]
SHAPES = ["circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-left"]
GREY = "#7d8790"
ROW = 34
"""Pixels that a row of a plot of intervals takes."""
AXIS = 60
"""Pixels that the axis below takes."""


def intervals(frame: pd.DataFrame, title: str, marker: float | None) -> Picture:
    """Draw value and interval of each candidate, one a row, with a line at the baseline's value."""
    rows = alt.Y("candidate:N", sort=list(frame["candidate"]), title=None, axis=_names())
    base = alt.Chart(frame).encode(y=rows)
    line = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("low:Q", title=title, scale=alt.Scale(zero=False), axis=_ticks()),
        x2="high:Q",
        color=_by_outcome(None),
    )
    dot = base.mark_point(filled=True, size=110, opacity=1).encode(
        x="value:Q",
        color=_by_outcome(None),
        shape=alt.Shape("outcome:N", legend=None, scale=_scale(OUTCOME_SHAPES)),
        tooltip=_tips(candidate="N", interval="N", n=",", missing=","),
    )
    return _sized(alt.layer(*_marker(marker), line, dot), len(frame))


def win_rates(frame: pd.DataFrame) -> Picture:
    """Draw each candidate's win rates with their intervals, with a line where all are even."""
    rows = alt.Y("candidate:N", sort=list(frame["candidate"]), title=None, axis=_names())
    kinds = alt.Color("kind:N", title=None, scale=alt.Scale(range=COLOURS), legend=alt.Legend(orient="top"))
    base = alt.Chart(frame).encode(y=rows, yOffset="kind:N", color=kinds)
    share = alt.Scale(domain=[0, 1])
    line = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("low:Q", title=say("win_rate"), scale=share, axis=_ticks()), x2="high:Q"
    )
    dot = base.mark_point(filled=True, size=110, opacity=1).encode(
        x="value:Q",
        shape=alt.Shape("kind:N", legend=None, scale=alt.Scale(range=SHAPES)),
        tooltip=_tips(candidate="N", kind="N", value=".3f", low=".3f", high=".3f", n=","),
    )
    return _sized(alt.layer(*_marker(0.5), line, dot), len(frame))


def differences(frame: pd.DataFrame) -> Picture:
    """Draw each candidate's difference to the baseline with its interval; zero is no difference."""
    rows = alt.Y("candidate:N", sort=list(frame["candidate"]), title=None, axis=_names())
    base = alt.Chart(frame).encode(y=rows)
    line = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("difference_low:Q", title=say("difference_axis"), axis=_ticks()),
        x2="difference_high:Q",
        color=_by_outcome(None),
    )
    dot = base.mark_point(filled=True, size=110, opacity=1).encode(
        x="difference:Q",
        color=_by_outcome(None),
        shape=alt.Shape("outcome:N", legend=None, scale=_scale(OUTCOME_SHAPES)),
        tooltip=_tips(candidate="N", difference="+.4~g", difference_low="+.4~g", difference_high="+.4~g"),
    )
    return _sized(alt.layer(*_marker(0.0), line, dot), len(frame))


def by_slice(frame: pd.DataFrame, names: list[str], title: str) -> Picture:
    """Draw value and interval of each slice, the candidates side by side in it."""
    drawn = frame["candidate"].nunique()
    base = alt.Chart(frame).encode(
        y=alt.Y("slice:N", sort=list(dict.fromkeys(frame["slice"])), title=None, axis=_names()),
        yOffset=alt.YOffset("candidate:N", sort=names),
        color=_by_candidate(names, frame),
    )
    line = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("low:Q", title=title, scale=alt.Scale(zero=False), axis=_ticks()), x2="high:Q"
    )
    dot = base.mark_point(filled=True, size=80, opacity=1).encode(
        x="value:Q",
        shape=alt.Shape("candidate:N", legend=None, scale=alt.Scale(domain=names, range=SHAPES)),
        tooltip=_tips(slice="N", candidate="N", interval="N", n=","),
    )
    height = alt.Step(max(16, 40 // drawn), **{"for": "offset"})
    return alt.layer(line, dot).properties(height=height)


def confusion(pairs: pd.DataFrame) -> Any:
    """Draw how often each target was read as each label: right answers blue, wrong ones orange."""
    read = sorted(pairs["read"].unique(), key=lambda label: (label.startswith("("), label))
    size = alt.Step(min(46, max(20, 620 // len(read))))
    base = alt.Chart(pairs).encode(
        x=alt.X("read:N", sort=read, title=say("read"), axis=_names(labelAngle=-40, labelOverlap=False)),
        y=alt.Y("target:N", title=say("target"), axis=_names()),
        tooltip=_tips(target="N", read="N", count=",", share=".1%"),
    )
    right, wrong = "datum.target === datum.read", "datum.target !== datum.read"
    layers = [
        base.transform_filter(right).mark_rect().encode(color=_ramp("share", "#d3e6f5", "#125a94")),
        base.transform_filter(wrong).mark_rect().encode(color=_ramp("share", "#fbe3c8", "#b4530c")),
        base.mark_text(fontSize=11).encode(
            text="count:Q", color=alt.condition("datum.share > 0.5", alt.value("white"), alt.value("#23303b"))
        ),
    ]
    return alt.layer(*layers).resolve_scale(color="independent").properties(width=size, height=size)


def latency(frame: pd.DataFrame, names: list[str]) -> Any:
    """Draw the share of answers that came within so many seconds."""
    kind: Literal["log", "linear"] = (
        "log" if frame["seconds"].max() > 30 * max(frame["seconds"].median(), 1e-9) else "linear"
    )
    return (
        alt.Chart(frame[frame["seconds"] > 0] if kind == "log" else frame)
        .mark_line(strokeWidth=2.5, interpolate="monotone")
        .encode(
            x=alt.X("seconds:Q", title=say("seconds"), scale=alt.Scale(type=kind), axis=_ticks()),
            y=alt.Y("share:Q", title=say("share_of_answers"), axis=alt.Axis(format="%")),
            color=_by_candidate(names, frame, "stroke"),
            strokeDash=alt.StrokeDash(
                "candidate:N", legend=None, scale=alt.Scale(domain=names, range=DASHES)
            ),
            tooltip=_tips(candidate="N", share=".0%", seconds=".3f"),
        )
        .properties(height=380)
    )


def tradeoff(frame: pd.DataFrame, names: list[str], effort: str, title: str) -> Picture:
    """Draw quality with its interval over what it takes; a line joins those that nothing beats."""
    across = alt.X(
        "effort:Q",
        title=effort,
        scale=alt.Scale(domain=[0, 1.1 * frame["effort"].max() or 1], nice=False),
        axis=_ticks(),
    )
    up = alt.Y("value:Q", title=title, scale=alt.Scale(zero=False))
    base = alt.Chart(frame).encode(x=across, color=_by_candidate(names, frame))
    layers = [
        alt.Chart(frame[frame["best"]]).mark_line(color=GREY, strokeDash=[4, 4]).encode(x=across, y=up),
        base.mark_rule(strokeWidth=2).encode(y=alt.Y("low:Q", title=title), y2="high:Q"),
        base.mark_point(filled=True, size=130, opacity=1).encode(
            y=up,
            shape=alt.Shape("candidate:N", legend=None, scale=alt.Scale(domain=names, range=SHAPES)),
            tooltip=_tips(candidate="N", value=".4~g", low=".4~g", high=".4~g", effort=".4~g"),
        ),
    ]
    return alt.layer(*layers).properties(height=420)


def over_time(frame: pd.DataFrame, title: str) -> Any:
    """Draw amounts by day, stacked by kind."""
    kinds = list(dict.fromkeys(frame["kind"]))
    return (
        alt.Chart(frame)
        .mark_bar(size=28)
        .encode(
            x=alt.X("day:O", title=None, axis=alt.Axis(labelAngle=-40)),
            y=alt.Y("amount:Q", title=title),
            color=alt.Color(
                "kind:N",
                title=None,
                scale=alt.Scale(domain=kinds, range=COLOURS),
                legend=alt.Legend(orient="top"),
            ),
            tooltip=_tips(day="N", kind="N", amount=",.4~g"),
        )
        .properties(height=320)
    )


def _ticks() -> alt.Axis:
    return alt.Axis(tickCount=8, format=".4~g")


def _names(**options: Any) -> alt.Axis:
    return alt.Axis(labelLimit=320, **options)


def _scale(values: dict[str, str]) -> alt.Scale:
    return alt.Scale(domain=list(values), range=list(values.values()))


def _by_outcome(legend: alt.Legend | None) -> alt.Color:
    return alt.Color("outcome:N", scale=_scale(OUTCOME_COLOURS), legend=legend)


def _by_candidate(names: list[str], frame: pd.DataFrame, symbol: str = "circle") -> alt.Color:
    """Give each name the same colour in every plot; name those that are drawn."""
    drawn = [name for name in names if name in set(frame["candidate"])]
    legend = alt.Legend(values=drawn, orient="top", columns=2, labelLimit=420, symbolType=symbol)
    return alt.Color("candidate:N", title=None, scale=alt.Scale(domain=names, range=COLOURS), legend=legend)


def _ramp(field: str, low: str, high: str) -> alt.Color:
    return alt.Color(f"{field}:Q", legend=None, scale=alt.Scale(domain=[0, 1], range=[low, high]))


def _tips(**fields: str) -> list[alt.Tooltip]:
    return [
        alt.Tooltip(f"{name}:N", title=say(name))
        if form == "N"
        else alt.Tooltip(f"{name}:Q", title=say(name), format=form)
        for name, form in fields.items()
    ]


def _marker(value: float | None) -> list[alt.Chart]:
    if value is None:
        return []
    mark = alt.Chart(pd.DataFrame({"at": [value]})).mark_rule(strokeDash=[4, 4], color=GREY)
    return [mark.encode(x=alt.X("at:Q"))]


def _sized(chart: Picture, rows: int) -> Picture:
    sized: Picture = chart.properties(height=max(2, rows) * ROW + AXIS)
    return sized
