"""What answers cost in money, tokens and time, as frames; what has no price is counted, never 0."""

from collections.abc import Iterable
from itertools import groupby
from typing import NamedTuple

import numpy as np
import pandas as pd
from reading import Evaluation
from shown import candidate

from llmops.records import OVERALL, UNASKED, Estimate, Response, Spend


class Amount(NamedTuple):
    """A sum of what is known (None when nothing is), beside how many of how many are not."""

    known: float | None
    unknown: int
    of: int


def total(values: Iterable[float | None]) -> Amount:
    """Add up what is known."""
    every = list(values)
    known = [value for value in every if value is not None]
    return Amount(sum(known) if known else None, len(every) - len(known), len(every))


class Account(NamedTuple):
    """What one model and prompt of one suite took to answer."""

    suite: str
    model: str
    prompt: str
    answers: int
    errors: int
    unpriced_errors: int
    """Failed calls whose cost is not known; they are in no sum."""
    cost: Amount
    input_tokens: Amount
    output_tokens: Amount
    p50: Estimate | None
    p95: Estimate | None

    def usd_per_answer(self) -> float | None:
        """Return the mean cost; None when any answer's cost is not known."""
        return None if self.cost.known is None or self.cost.unknown else self.cost.known / self.cost.of


def accounts(evaluation: Evaluation) -> list[Account]:
    """Return an account for each model and prompt."""
    groups: dict[tuple[str, str], list[Response]] = {}
    for response in evaluation.responses():
        groups.setdefault((response.model, response.prompt), []).append(response)
    estimates = {(e.model, e.prompt, e.metric): e for e in evaluation.estimates() if e.slice == OVERALL}
    return [_account(evaluation.suite, *key, rows, estimates) for key, rows in groups.items()]


def _account(
    suite: str, model: str, prompt: str, rows: list[Response], estimates: dict[tuple[str, str, str], Estimate]
) -> Account:
    rows = [row for row in rows if row.error is None or row.error.kind not in UNASKED or row.turns]
    answered = [row for row in rows if row.error is None]
    billed = [row for row in rows if row.error is None or row.cost_usd is not None]
    return Account(
        suite=suite,
        model=model,
        prompt=prompt,
        answers=len(answered),
        errors=len(rows) - len(answered),
        unpriced_errors=len(rows) - len(billed),
        cost=total(row.cost_usd for row in billed),
        input_tokens=total(row.input_tokens for row in answered),
        output_tokens=total(row.output_tokens for row in answered),
        p50=estimates.get((model, prompt, "latency_p50_s")),
        p95=estimates.get((model, prompt, "latency_p95_s")),
    )


def latency_shares(evaluation: Evaluation) -> pd.DataFrame:
    """Return, for each model · prompt, within how many seconds each hundredth of the answers came."""
    ordered = sorted(evaluation.responses(), key=lambda row: candidate(row.model, row.prompt))
    shares = np.linspace(0, 1, 101)
    frames = []
    for name, rows in groupby(ordered, key=lambda row: candidate(row.model, row.prompt)):
        seconds = [row.latency_s for row in rows if row.latency_s is not None]
        if seconds:
            frames.append(
                pd.DataFrame({"candidate": name, "share": shares, "seconds": np.quantile(seconds, shares)})
            )
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


class Bill(NamedTuple):
    """What the generate runs of one suite, model and prompt asked and paid, all together."""

    suite: str
    model: str
    prompt: str
    runs: int
    calls: int
    hits: int
    errors: int
    spent: Amount
    saved: Amount


def bills(spends: Iterable[Spend]) -> list[Bill]:
    """Return a bill for each suite, model and prompt."""
    groups: dict[tuple[str, str, str], list[Spend]] = {}
    for row in spends:
        groups.setdefault((row.suite, row.model, row.prompt), []).append(row)
    return [
        Bill(
            *key,
            runs=len(rows),
            calls=sum(row.calls for row in rows),
            hits=sum(row.hits for row in rows),
            errors=sum(row.errors for row in rows),
            spent=total(row.spent_usd for row in rows),
            saved=total(row.saved_usd for row in rows),
        )
        for key, rows in groups.items()
    ]


def sources(spends: Iterable[Spend]) -> list[str]:
    """Return where the prices stood that these runs were paid by, each once."""
    return sorted({row.price_source for row in spends if row.price_source})


def by_day(spends: Iterable[Spend], fields: tuple[str, ...]) -> pd.DataFrame:
    """Return day, kind and amount for each of the fields of Spend; what is not known is left out."""
    rows = [(row.at[:10], field, getattr(row, field)) for row in spends for field in fields]
    frame = pd.DataFrame(rows, columns=["day", "kind", "amount"]).dropna()
    return frame.groupby(["day", "kind"], as_index=False).sum()
