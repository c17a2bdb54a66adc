"""The leaderboard as a picture: values, and differences to the baseline, with their intervals."""

from collections.abc import Sequence

import charts
import streamlit as st
from estimates import points
from shown import candidate
from words import say

from llmops.records import Estimate, Verdict


def show(rows: Sequence[Estimate], verdicts: Sequence[Verdict]) -> None:
    """Draw what is known of the leaderboard's rows."""
    frame = points(rows, verdicts).dropna(subset="value") if rows else points(())
    if frame.empty:
        return
    baseline = next((row.baseline for row in rows if row.baseline), None)
    marker = next((row.value for row in rows if candidate(row.model, row.prompt) == baseline), None)
    st.altair_chart(charts.intervals(frame, rows[0].metric, marker), alt=say("intervals_alt"))
    st.caption(say("outcome_legend"))
    compared = frame.dropna(subset="difference")
    if not compared.empty:
        st.altair_chart(charts.differences(compared), alt=say("differences_alt"))
        st.text(say("baseline_is", baseline=baseline))
