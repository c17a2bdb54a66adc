"""Cost: what the answers took in money, tokens and time, and what that buys."""

import streamlit as st
from choices import beside, project_root, shown
from reading import spends
from sections import latency, paid, taken, worth
from words import say

st.title(say("cost"))
evaluation = shown()
spent = spends(project_root())
if evaluation is None and not spent:
    st.info(say("no_results"), icon=":material/hourglass_empty:")
    st.code("make repro\nllmops run SUITE", language=None)
    st.stop()

paid.totals(spent, evaluation)
if evaluation is not None:
    st.subheader(say("taken"))
    taken.show(beside(), evaluation)
    st.subheader(say("worth"))
    worth.show(evaluation)
    st.subheader(say("latency"))
    latency.show(evaluation)
st.subheader(say("spend_over_time"))
paid.show(spent)
