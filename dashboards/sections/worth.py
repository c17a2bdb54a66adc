"""Quality against what it takes, and the price of a right answer."""

import charts
import pandas as pd
import streamlit as st
from estimates import quality_metrics
from reading import Evaluation
from shown import interval, table, unknown, usd
from tradeoff import RightAnswerCost, Standing, per_right_answer, standings
from words import say

EFFORTS = ("cost", "latency", "tokens")


def show(evaluation: Evaluation) -> None:
    """Draw the trade-off for one metric, then list the cost of a right answer."""
    metrics = quality_metrics(evaluation.estimates())
    if not metrics:
        st.info(say("no_estimates"))
        return
    left, right = st.columns([1, 2], vertical_alignment="bottom")
    metric = left.selectbox(say("metric"), metrics, key="worth_metric", persist_state="session")
    effort = right.segmented_control(
        say("against"), EFFORTS, default="cost", required=True, format_func=say, key="effort"
    )
    _plot(standings(evaluation, metric, effort), metric, effort)
    table(pd.DataFrame(_cells(row) for row in per_right_answer(evaluation, metric)))


def _plot(every: list[Standing], metric: str, effort: str) -> None:
    drawn = [each for each in every if each.effort is not None]
    if drawn:
        names = sorted(each.candidate for each in every)
        picture = charts.tradeoff(pd.DataFrame(drawn), names, say(f"effort_{effort}"), metric)
        st.altair_chart(picture, alt=say("worth_alt"))
        st.caption(say("worth_legend"))
    for each in every:
        if each.effort is None:
            st.text(f"{say('not_drawn')}: {each.candidate} ({say(f'no_{effort}_known')})")


def _cells(row: RightAnswerCost) -> dict[str, object]:
    return {
        "model": row.model,
        "prompt": row.prompt,
        "usd_per_right": unknown(say(row.reason))
        if row.reason
        else f"{usd(row.usd)} {interval(row.low, row.high, usd)}",
    }
