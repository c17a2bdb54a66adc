"""Quality: may this be shipped, by how much is it better, and where does it go wrong."""

import streamlit as st
from choices import shown
from estimates import leaderboard, of_metric, quality_metrics, tally, worst
from sections import changes, classes, intervals, one_example, ranking, rules, slices
from shown import candidate, table
from words import say

SECTIONS = {
    "slices": slices.show,
    "classes": classes.show,
    "changes": changes.show,
    "examples": one_example.show,
}
ALERTS = {"pass": st.success, "fail": st.error, "inconclusive": st.warning, "no_rule": st.info}

st.title(say("quality"))
evaluation = shown()
if evaluation is None:
    st.info(say("no_results"), icon=":material/hourglass_empty:")
    st.code("make repro\nllmops run SUITE", language=None)
    st.stop()

verdicts = evaluation.verdicts()
counts = tally(verdicts)
decision = worst(counts)
ALERTS[decision](
    say(f"decision_{decision}", failed=counts["fail"], open=counts["inconclusive"], passed=counts["pass"])
)
rules.show(verdicts)

estimates = evaluation.estimates()
metrics = quality_metrics(estimates) or list(dict.fromkeys(score.metric for score in evaluation.scores()))
heading, choice = st.columns([3, 1], vertical_alignment="bottom")
heading.subheader(say("leaderboard"))
metric = choice.selectbox(say("metric"), metrics, key="metric", persist_state="session") or ""
if estimates:
    rows = of_metric(estimates, metric)
    table(leaderboard(rows, verdicts))
    for row in rows:
        if row.unasked:
            named, asked = candidate(row.model, row.prompt), row.examples - row.unasked
            why = "decided" if row.decided == row.unasked else "stopped"
            st.caption(say(why, candidate=named, n=asked, of=row.examples))
    intervals.show(rows, verdicts)
else:
    st.info(say("no_estimates"))

sections = SECTIONS | ({"ranking": ranking.show} if evaluation.ranking() else {})
section = st.segmented_control(
    say("section"),
    list(sections),
    default="slices",
    required=True,
    format_func=say,
    key="section",
    persist_state="session",
    label_visibility="collapsed",
)
sections.get(section, slices.show)(evaluation, metric)
