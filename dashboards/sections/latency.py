"""How long the answers took."""

import charts
import streamlit as st
from costs import latency_shares
from reading import Evaluation
from words import say


def show(evaluation: Evaluation) -> None:
    """Draw the share of answers that came within so many seconds, for each model and prompt."""
    frame = evaluation.derived(latency_shares)
    if frame.empty:
        st.info(say("no_latency"))
        return
    st.altair_chart(charts.latency(frame, sorted(frame["candidate"].unique())), alt=say("latency_alt"))
    st.caption(say("latency_legend"))
