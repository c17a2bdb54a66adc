"""What each model and prompt took to answer: money, tokens, seconds."""

import pandas as pd
import streamlit as st
from costs import Account, Amount, accounts
from reading import Evaluation
from shown import candidate, count, measured, table, unknown
from words import say

from llmops.records import Estimate
from sections.paid import amount_words


def show(suites: list[Evaluation], shown: Evaluation) -> None:
    """List the accounts of the shown suite, or of every suite."""
    every = len(suites) > 1 and st.toggle(say("every_suite"), key="every_suite")
    rows = [each for suite in (suites if every else [shown]) for each in accounts(suite)]
    if not rows:
        st.info(say("no_answers"))
        return
    frame = pd.DataFrame(_cells(row) for row in rows)
    table(frame if every else frame.drop(columns="suite"))
    unpriced, failed = sum(row.cost.unknown for row in rows), sum(row.unpriced_errors for row in rows)
    if unpriced:
        st.caption(say("answers_without_price", n=unpriced, of=sum(row.cost.of for row in rows)))
    if failed:
        st.caption(say("errors_without_price", n=failed))


def _cells(account: Account) -> dict[str, object]:
    return {
        "suite": account.suite,
        "candidate": candidate(account.model, account.prompt),
        "answers": account.answers,
        "errors": account.errors,
        "cost": amount_words(account.cost, "answers_unknown"),
        "tokens_in_out": f"{_tokens(account.input_tokens)} / {_tokens(account.output_tokens)}",
        "p50": _seconds(account.p50),
        "p95": _seconds(account.p95),
    }


def _tokens(amount: Amount) -> str:
    if not amount.unknown:
        return count(amount.known)
    missing = say("tokens_unknown", n=amount.unknown, of=amount.of)
    return missing if amount.known is None else f"{count(amount.known)} + {missing}"


def _seconds(estimate: Estimate | None) -> str:
    return unknown() if estimate is None else measured(estimate)
