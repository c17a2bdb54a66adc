"""Quality set against what it takes: which model and prompt is worth its cost."""

from collections import defaultdict
from typing import NamedTuple

from costs import Account, accounts
from estimates import of_metric
from reading import Evaluation
from shown import candidate

from llmops.records import Estimate


class Standing(NamedTuple):
    """A model and prompt where quality is set against what it takes."""

    candidate: str
    value: float
    low: float | None
    high: float | None
    effort: float | None
    """US dollars for 1,000 answers, seconds at the median, or tokens of an answer."""
    best: bool = False
    """No other one is at least as good for no more."""


def standings(evaluation: Evaluation, metric: str, effort: str) -> list[Standing]:
    """Return each model and prompt with its quality and its ``cost``, ``latency`` or ``tokens``."""
    taken = {(each.model, each.prompt): _effort(each, effort) for each in accounts(evaluation)}
    rows = [
        (
            row,
            Standing(
                candidate(row.model, row.prompt),
                row.value,
                row.low,
                row.high,
                taken.get((row.model, row.prompt)),
            ),
        )
        for row in of_metric(evaluation.estimates(), metric)
        if row.value is not None
    ]
    sign = 1 if all(row.higher_is_better for row, _ in rows) else -1
    every = [standing for _, standing in rows]
    return [each._replace(best=not any(_beats(other, each, sign) for other in every)) for each in every]


def _effort(account: Account, effort: str) -> float | None:
    if effort == "cost":
        mean = account.usd_per_answer()
        return None if mean is None else mean * 1000
    if effort == "latency":
        return account.p50.value if account.p50 else None
    tokens = account.output_tokens
    return None if tokens.known is None else tokens.known / (tokens.of - tokens.unknown)


def _beats(one: Standing, other: Standing, sign: int) -> bool:
    if one.effort is None or other.effort is None:
        return False
    better, cheaper = sign * (one.value - other.value), other.effort - one.effort
    return better >= 0 and cheaper >= 0 and better + cheaper > 0


class RightAnswerCost(NamedTuple):
    """US dollars for one right answer, with the ends that the quality's interval gives it."""

    suite: str
    model: str
    prompt: str
    usd: float | None
    low: float | None
    high: float | None
    reason: str | None
    """Key of the words that say why it is not known."""


def per_right_answer(evaluation: Evaluation, metric: str) -> list[RightAnswerCost]:
    """Return cost / sum of the scores, for a metric of 0 to 1 where more is better.

    The interval is the value's own, turned over: the cost itself is a complete count. Answers without
    a score add to the cost and to no right answer.
    """
    right: dict[tuple[str, str], float] = defaultdict(float)
    for score in evaluation.scores():
        if score.metric == metric and score.value is not None:
            right[score.model, score.prompt] += score.value
    known = {(each.model, each.prompt): each for each in accounts(evaluation)}
    rows = of_metric(evaluation.estimates(), metric)
    return [_per_right(row, known.get((row.model, row.prompt)), right[row.model, row.prompt]) for row in rows]


def _per_right(row: Estimate, account: Account | None, right: float) -> RightAnswerCost:
    cost = account.cost.known if account and not account.cost.unknown else None
    reason = _why_not(row, cost, right)
    usd = None if reason or cost is None else cost / right

    def at(share: float | None) -> float | None:
        return usd * row.value / share if usd is not None and row.value and share else None

    return RightAnswerCost(row.suite, row.model, row.prompt, usd, at(row.high), at(row.low), reason)


def _why_not(row: Estimate, cost: float | None, right: float) -> str | None:
    if cost is None:
        return "some_cost_unknown"
    if row.value is None or not row.higher_is_better or row.value > 1:
        return "no_right_defined"
    return "none_right" if right <= 0 else None
