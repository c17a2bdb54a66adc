"""What the reader has chosen for every page: the language, and whose files are shown."""

import os
from pathlib import Path

import streamlit as st
from reading import Evaluation, evaluations
from words import LANGUAGES, say

from llmops.places import RESULTS, TRYOUTS, Places


def choose_language() -> None:
    """Offer the languages; a browser that asks for Korean begins in Korean."""
    preferred = "ko" if (st.context.locale or "").startswith("ko") else "en"
    st.sidebar.segmented_control(
        "Language · 언어",
        list(LANGUAGES),
        default=preferred,
        required=True,
        format_func=LANGUAGES.__getitem__,
        key="language",
        bind="query-params",
    )


def choose_evaluation() -> None:
    """Offer results or tryouts, then the suites that have files there."""
    found = {out: evaluations(Places(project_root(), out)) for out in (RESULTS, TRYOUTS)}
    out = _choose_source([out for out, those in found.items() if those])
    suites = {evaluation.suite: evaluation for evaluation in found.get(out, [])}
    with st.sidebar:
        suite = st.selectbox(say("suite"), list(suites), key="suite", bind="query-params") if suites else None
    st.session_state["shown"] = suites[suite] if suite else None
    st.session_state["beside"] = list(suites.values())


def shown() -> Evaluation | None:
    """Return the chosen suite's files; None when no stage has written any."""
    evaluation: Evaluation | None = st.session_state["shown"]
    return evaluation


def beside() -> list[Evaluation]:
    """Return every suite of the chosen source, the shown one among them."""
    those: list[Evaluation] = st.session_state["beside"]
    return those


def project_root() -> Path:
    """Return the project's folder: ``LLMOPS_ROOT``, or the current one."""
    return Path(os.environ.get("LLMOPS_ROOT") or ".").resolve()


def _choose_source(found: list[str]) -> str:
    if len(found) < 2:
        return found[0] if found else RESULTS
    with st.sidebar:
        return st.segmented_control(
            say("source"), found, default=found[0], required=True, format_func=say, key="source"
        )
