"""How a number, an interval, an amount of money or what is not known is put on the page."""

from collections.abc import Callable, Collection
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from words import say

from llmops import numbers
from llmops.records import Estimate

MARKS = {"pass": "✓", "fail": "✗", "inconclusive": "?"}


def candidate(model: str, prompt: str) -> str:
    """Return the name of what is judged: a model under a prompt."""
    return f"{model} · {prompt}"


def number(value: float | None, reason: str | None = None) -> str:
    """Return the value as every report writes it; or that it is not known, and why."""
    return unknown(reason) if value is None else numbers.number(value)


def signed(value: float) -> str:
    """Return a difference with its sign."""
    return f"{value:+.4f}" if abs(value) < 1 else f"{value:+.4g}"


def interval(low: float | None, high: float | None, write: Callable[[float], str] = numbers.number) -> str:
    """Return both ends, or nothing when there is no interval."""
    return "" if low is None or high is None else f"[{write(low)}, {write(high)}]"


def usd(amount: float | None, reason: str | None = None) -> str:
    """Return US dollars with as many decimals as the amount needs, without a sign that reads as LaTeX."""
    if amount is None:
        return unknown(reason)
    if amount == 0 or amount >= 1:
        return f"{amount:,.2f} USD"
    return f"{np.format_float_positional(amount, precision=3, fractional=False)} USD"


def count(amount: float | None) -> str:
    """Return a whole number with its thousands set apart."""
    return unknown() if amount is None else f"{amount:,.0f}"


def unknown(reason: str | None = None) -> str:
    """Return that something is not known, with the reason when there is one."""
    return f"{say('unknown')}: {reason}" if reason else say("unknown")


def outcome(name: str) -> str:
    """Return a verdict's outcome with a mark, so that it does not rest on colour."""
    return f"{MARKS[name]} {say(name)}" if name in MARKS else say(name)


def measured(estimate: Estimate) -> str:
    """Return the estimate's value with its interval; a complete count needs none."""
    return _joined(number(estimate.value, estimate.reason), _ends(estimate))


def _ends(estimate: Estimate) -> str:
    return "" if estimate.method == "complete" else interval(estimate.low, estimate.high)


def difference(estimate: Estimate, baselines: Collection[str | None]) -> str:
    """Return the difference to the baseline with its interval, or that the estimate is the baseline."""
    if estimate.difference is None:
        own = candidate(estimate.model, estimate.prompt)
        return (
            say("is_baseline") if own in baselines else unknown(None if estimate.baseline else say("no_pair"))
        )
    return _joined(
        signed(estimate.difference), interval(estimate.difference_low, estimate.difference_high, signed)
    )


def _joined(value: str, ends: str) -> str:
    return f"{value} {ends}".strip()


def table(frame: pd.DataFrame, **options: Any) -> Any:
    """Show a frame as plain cells, its columns named in the reader's language; return what is selected."""
    named = {column: say(column) for column in frame.columns}
    return st.dataframe(frame, hide_index=True, column_config=named, **options)
