"""The examples: found by what happened to them, opened with every answer side by side."""

import pandas as pd
import streamlit as st
from answers import OUTCOMES, answer_rows, as_text, in_slice, slice_names
from reading import Evaluation
from shown import number, table
from streamlit.delta_generator import DeltaGenerator
from words import say

from llmops.records import Example
from sections.one_answer import show_answers

ANY = ""
CUT = 160
"""Characters of a text that the list shows; the opened example has all of them."""
COLUMNS = ["example_id", "candidate", "outcome", "score", "input", "answer", "read", "target"]


def show(evaluation: Evaluation, metric: str) -> None:
    """List the answers that the filters leave, then open one's example."""
    rows = evaluation.derived(answer_rows, metric)
    if rows.empty:
        st.info(say("no_answers"))
        return
    kept = _filtered(evaluation, rows)
    st.caption(say("answers_of", n=len(kept), of=len(rows)))
    if kept.empty:
        return
    picked = table(
        _cells(kept), on_select="rerun", selection_mode="single-row-required", height=280, key="answers"
    )
    position = min(picked["selection"]["rows"][0], len(kept) - 1)
    _open(evaluation, kept["example_id"].iloc[position])


def _filtered(evaluation: Evaluation, rows: pd.DataFrame) -> pd.DataFrame:
    who, where, what, text = st.columns(4)
    name = _choice(who, "candidate", list(dict.fromkeys(rows["candidate"])))
    slice_name = _choice(where, "slice", evaluation.derived(slice_names))
    outcome = _choice(what, "outcome", [each for each in OUTCOMES if each in set(rows["outcome"])])
    words = text.text_input(say("search"), key="search", persist_state="session")
    keep = pd.Series(True, index=rows.index)
    if name:
        keep &= rows["candidate"] == name
    if slice_name:
        keep &= rows["example_id"].isin(in_slice(evaluation, slice_name))
    if outcome:
        keep &= rows["outcome"] == outcome
    if words:
        keep &= rows["search"].str.contains(words.casefold(), regex=False)
    return rows[keep]


def _choice(place: DeltaGenerator, field: str, options: list[str]) -> str:
    worded = say if field == "outcome" else str
    return place.selectbox(
        say(field),
        [ANY, *options],
        format_func=lambda option: worded(option) if option else say("any"),
        key=f"browse_{field}",
        persist_state="session",
    )


def _cells(rows: pd.DataFrame) -> pd.DataFrame:
    several = ["repeat"] if rows["repeat"].any() else []
    return rows.assign(
        outcome=rows["outcome"].map({name: say(name) for name in OUTCOMES}),
        score=["–" if pd.isna(value) else number(value) for value in rows["value"]],
        input=rows["input"].str.slice(0, CUT),
        answer=rows["answer"].str.slice(0, CUT),
    )[[*COLUMNS, *several]]


def _open(evaluation: Evaluation, example_id: str) -> None:
    st.subheader(say("example"))
    example = next((each for each in evaluation.examples() if each.id == example_id), None)
    if example is None:
        st.info(say("no_example"))
    else:
        _asked(example)
    show_answers(evaluation, example_id)


def _asked(example: Example) -> None:
    slices = "   ".join(f"{name}={value}" for name, value in example.slices.items())
    st.text(f"{example.id}   {slices}")
    parts = dict(example.inputs) | {
        f"{say('context')} {i}": text for i, text in enumerate(example.contexts, 1)
    }
    if example.tools:
        parts[say("tools")] = example.tools
    if example.files:
        parts[say("files")] = example.files
    for name, value in parts.items():
        st.text(name)
        st.code(as_text(value), language=None, wrap_lines=True)
    st.text(say("target"))
    st.code(
        example.target if example.target is not None else say("no_target"), language=None, wrap_lines=True
    )
