"""What broke, and what was fixed, against the baseline."""

import pandas as pd
import streamlit as st
from answers import candidates
from answers import changes as changed_examples
from estimates import of_metric
from reading import Evaluation
from shown import candidate, difference, table, unknown
from words import say

from llmops.records import Estimate


def show(evaluation: Evaluation, metric: str) -> None:
    """Count the changes of each model and prompt, then list those of one."""
    rows = [row for row in of_metric(evaluation.estimates(), metric) if row.baseline is not None]
    if not rows:
        st.info(say("no_baseline"))
        return
    table(pd.DataFrame(_count_cells(row) for row in rows))
    named = {candidate(row.model, row.prompt): row for row in rows}
    name = st.selectbox(say("candidate"), list(named), key="change_candidate")
    _examples(evaluation, metric, name, named[name])


def _count_cells(row: Estimate) -> dict[str, object]:
    return {
        "model": row.model,
        "prompt": row.prompt,
        "baseline": row.baseline,
        "broke": unknown() if row.broke is None else str(row.broke),
        "fixed": unknown() if row.fixed is None else str(row.fixed),
        "difference": difference(row, {row.baseline}),
    }


def _examples(evaluation: Evaluation, metric: str, name: str, row: Estimate) -> None:
    baseline = row.baseline or ""
    if baseline not in candidates(evaluation.responses()):
        st.info(say("baseline_elsewhere"))
        return
    moved = evaluation.derived(changed_examples, metric, name, baseline, row.policy or "")
    if moved.empty:
        st.success(say("nothing_changed"))
        return
    words = {"broke": f"✗ {say('broke')}", "fixed": f"✓ {say('fixed')}"}
    table(moved.assign(change=moved["change"].map(words)))
