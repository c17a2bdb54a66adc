"""Which run wins, where a judge holds each two answers against each other."""

from collections.abc import Sequence

import charts
import pandas as pd
import streamlit as st
from reading import Evaluation
from shown import candidate, interval, number, table
from words import say

from llmops.records import Ranked

KINDS = {
    "win_rate": ("win_rate", "win_low", "win_high"),
    "controlled": ("controlled", "controlled_low", "controlled_high"),
}
"""What is drawn of a run → the fields of its Ranked."""


def show(evaluation: Evaluation, metric: str) -> None:
    """Plot and list the ranking of each pairwise judge; the metric that is looked at plays no part."""
    for judge in dict.fromkeys(row.judge for row in evaluation.ranking()):
        _of_judge(judge, [row for row in evaluation.ranking() if row.judge == judge])


def _of_judge(judge: str, rows: Sequence[Ranked]) -> None:
    st.text(f"{say('judge')} {judge}")
    frame = _points(rows).dropna(subset="value")
    if not frame.empty:
        st.altair_chart(charts.win_rates(frame), alt=say("ranking_alt"))
        st.caption(say("ranking_legend"))
    table(pd.DataFrame(_cells(row) for row in rows))
    for row in rows:
        for reason in row.reasons:
            st.text(f"{candidate(row.model, row.prompt)}: {reason}")


def _points(rows: Sequence[Ranked]) -> pd.DataFrame:
    """Return two rows a run: its win rate, and that at answers of one length."""
    return pd.DataFrame(
        {"candidate": candidate(row.model, row.prompt), "kind": say(kind), "n": row.n}
        | dict(zip(("value", "low", "high"), (getattr(row, field) for field in fields), strict=True))
        for row in rows
        for kind, fields in KINDS.items()
    )


def _cells(row: Ranked) -> dict[str, object]:
    return {
        "model": row.model,
        "prompt": row.prompt,
        "win_rate": f"{number(row.win_rate)} {interval(row.win_low, row.win_high)}",
        "controlled": f"{number(row.controlled)} {interval(row.controlled_low, row.controlled_high)}",
        "strength": f"{number(row.strength)} {interval(row.strength_low, row.strength_high)}",
        "n": row.n,
    }
