"""Which kinds of example do worse than the rest."""

import charts
import streamlit as st
from estimates import points, slices_table
from reading import Evaluation
from shown import candidate, table
from words import say

from llmops.records import OVERALL, Estimate

MOST_DRAWN = 30


def show(evaluation: Evaluation, metric: str) -> None:
    """Plot and list the metric by slice, one slice name at a time."""
    rows = [each for each in evaluation.estimates() if each.metric == metric]
    names = list(dict.fromkeys(each.slice.partition("=")[0] for each in rows if each.slice != OVERALL))
    if not names:
        st.info(say("no_slices"))
        return
    every = list(dict.fromkeys(candidate(each.model, each.prompt) for each in rows))
    left, right = st.columns([1, 3])
    name = left.selectbox(say("slice_by"), names, key="slice_by")
    picked = right.multiselect(say("candidates"), every, default=every[:4], key="slice_candidates")
    chosen = [each for each in rows if _belongs(each, name, picked)]
    if not chosen:
        return
    _draw(chosen, sorted(every), metric)
    table(slices_table(chosen))


def _belongs(estimate: Estimate, name: str, picked: list[str]) -> bool:
    of_name = estimate.slice == OVERALL or estimate.slice.startswith(f"{name}=")
    return of_name and candidate(estimate.model, estimate.prompt) in picked


def _draw(rows: list[Estimate], names: list[str], metric: str) -> None:
    drawn = list(dict.fromkeys(each.slice for each in rows))
    kept = set(drawn[:MOST_DRAWN])
    frame = points([each for each in rows if each.slice in kept]).dropna(subset="value")
    if not frame.empty:
        st.altair_chart(charts.by_slice(frame, names, metric), alt=say("slices_alt"))
    if len(drawn) > MOST_DRAWN:
        st.caption(say("drawn_of", n=MOST_DRAWN, of=len(drawn)))
