"""What the runs really asked and paid, as their side file tells."""

from collections.abc import Sequence

import charts
import pandas as pd
import streamlit as st
from costs import Amount, Bill, bills, by_day, sources, total
from reading import Evaluation
from shown import candidate, count, table, unknown, usd
from words import say

from llmops.records import Spend

KINDS = {"money": ("spent_usd", "saved_usd"), "asked": ("calls", "hits")}


def totals(spent: Sequence[Spend], evaluation: Evaluation | None) -> None:
    """Show four numbers for the chosen suite, or for all when none has files."""
    rows = [row for row in spent if evaluation is None or row.suite == evaluation.suite]
    calls, hits = sum(row.calls for row in rows), sum(row.hits for row in rows)
    paid, saved = total(row.spent_usd for row in rows), total(row.saved_usd for row in rows)
    cells = {
        "paid": known_part(paid),
        "saved_usd": known_part(saved),
        "calls": count(calls) if rows else unknown(),
        "hits": f"{count(hits)} ({hits / (calls + hits):.0%})" if calls + hits else unknown(),
    }
    places = [*st.columns(2), *st.columns(2)]  # side by side, a window of 1,200 pixels cuts them
    for column, (name, cell) in zip(places, cells.items(), strict=True):
        column.metric(say(name), cell, border=True)
    if named := sources(rows):
        st.caption(say("priced_by", sources=", ".join(named)))
    if paid.unknown:
        st.caption(say("runs_without_price", n=paid.unknown, of=paid.of))


def show(spent: Sequence[Spend]) -> None:
    """Plot the spend by day, then list it by suite, model and prompt."""
    if not spent:
        st.info(say("no_spend"))
        return
    view = st.segmented_control(
        say("view"),
        list(KINDS),
        default="money",
        required=True,
        format_func=say,
        label_visibility="collapsed",
    )
    days = by_day(spent, KINDS[view])
    if days.empty:
        st.info(say("no_known_price"))
    else:
        worded = days.assign(kind=days["kind"].map(say))
        st.altair_chart(charts.over_time(worded, say(view)), alt=say("spend_alt"))
    table(pd.DataFrame(_cells(bill) for bill in bills(spent)))


def _cells(bill: Bill) -> dict[str, object]:
    return {
        "suite": bill.suite,
        "candidate": candidate(bill.model, bill.prompt),
        "runs_count": bill.runs,
        "calls": bill.calls,
        "hits": bill.hits,
        "errors": bill.errors,
        "spent_usd": amount_words(bill.spent, "runs_unknown"),
        "saved_usd": amount_words(bill.saved, "runs_unknown"),
    }


def known_part(amount: Amount) -> str:
    """Return the sum; with a sign that it is at least that when some is not known."""
    if amount.known is None:
        return unknown()
    return ("≥ " if amount.unknown else "") + usd(amount.known)


def amount_words(amount: Amount, words: str) -> str:
    """Return the sum, with how many of how many have no price."""
    if not amount.unknown:
        return usd(amount.known)
    missing = say(words, n=amount.unknown, of=amount.of)
    return missing if amount.known is None else f"{usd(amount.known)} + {missing}"
