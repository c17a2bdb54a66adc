"""The rules one by one, what stops a release first."""

from collections.abc import Sequence

import streamlit as st
from estimates import WORST_FIRST
from shown import candidate, outcome
from words import say

from llmops.records import Verdict

MOST_UNFOLDED = 6
"""Rules that are listed in full; more scroll."""


def show(verdicts: Sequence[Verdict]) -> None:
    """List the rules that do not pass with their reasons, and fold the others away."""
    stopping = sorted(
        (each for each in verdicts if each.outcome != "pass"),
        key=lambda each: WORST_FIRST.index(each.outcome),
    )
    if stopping:
        with st.container(border=True, height="content" if len(stopping) <= MOST_UNFOLDED else 380):
            _list(stopping)
    passing = [each for each in verdicts if each.outcome == "pass"]
    if passing:
        with st.expander(say("rules_that_pass", n=len(passing))):
            _list(passing)


def _list(verdicts: Sequence[Verdict]) -> None:
    for each in verdicts:
        who = candidate(each.model, each.prompt)
        st.text(f"{outcome(each.outcome)}   {who}: {each.rule}\n{each.reason}")
