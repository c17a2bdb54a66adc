"""Which labels are taken for which."""

import charts
import pandas as pd
import streamlit as st
from answers import LABEL_METRIC, candidates, confusions, most_confused
from reading import ClassRow, Evaluation
from shown import candidate, interval, number, table
from words import say

MOST_LABELS = 25


def show(evaluation: Evaluation, metric: str) -> None:
    """Draw the confusion matrix of one model and prompt, then list its labels."""
    names = candidates(score for score in evaluation.scores() if score.metric == LABEL_METRIC)
    if not names:
        st.info(say("no_classes"))
        return
    name = st.selectbox(say("candidate"), names, key="class_candidate")
    pairs = evaluation.derived(confusions, name)
    _matrix(pairs)
    _mistakes(pairs)
    _labels([row for row in evaluation.classes() if candidate(row.model, row.prompt) == name])


def _matrix(pairs: pd.DataFrame) -> None:
    drawn = most_confused(pairs, MOST_LABELS)
    if drawn.empty:
        st.info(say("no_targets"))
        return
    st.altair_chart(charts.confusion(drawn), width="content", alt=say("confusion_alt"))
    st.caption(say("confusion_legend"))
    labels = pairs["target"].nunique()
    if labels > MOST_LABELS:
        st.caption(say("labels_of", n=MOST_LABELS, of=labels))


def _mistakes(pairs: pd.DataFrame) -> None:
    wrong = pairs[pairs["target"] != pairs["read"]].sort_values("count", ascending=False)
    if not wrong.empty:
        st.subheader(say("mistakes"))
        table(wrong[["target", "read", "count"]])


def _labels(rows: list[ClassRow]) -> None:
    if not rows:
        st.info(say("no_class_file"))
        return
    st.subheader(say("per_label"))
    table(pd.DataFrame(_label_cells(row) for row in rows))


def _label_cells(row: ClassRow) -> dict[str, object]:
    return {
        "label": row.label,
        "support": row.support,
        "predicted": row.predicted,
        "precision": f"{number(row.precision)} {interval(row.precision_low, row.precision_high)}",
        "recall": f"{number(row.recall)} {interval(row.recall_low, row.recall_high)}",
        "f1": f"{number(row.f1)} {interval(row.f1_low, row.f1_high)}",
    }
