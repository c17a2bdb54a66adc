"""Cohen's kappa: how far two raters agree beyond what their habits alone would bring about."""

import math
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np

from llmops.stats.column import Floats
from llmops.stats.interval import Interval, within, z_quantile
from llmops.stats.proportion import proportion

Weights = Literal["none", "linear", "quadratic"]

WEIGHTS: dict[Weights, Callable[[Floats], Floats]] = {
    "none": lambda apart: (apart == 0).astype(np.float64),
    "linear": lambda apart: 1 - apart,
    "quadratic": lambda apart: 1 - apart**2,
}
"""How much a pair counts as agreement, by how far apart its two classes are: 0 the same, 1 the ends."""


class _Table(NamedTuple):
    shares: Floats
    """(classes × classes) shares of the pairs."""
    agreed: Floats
    """(classes × classes) how much a cell counts as agreement."""


def kappa(
    ours: Sequence[str] | Sequence[float],
    theirs: Sequence[str] | Sequence[float],
    weights: Weights = "none",
    confidence: float = 0.95,
) -> Interval:
    """Estimate Cohen's kappa of two raters of the same examples.

    (p_o − p_e) / (1 − p_e): Cohen 1960, Educ. Psychol. Meas. 20:37–46; weighted: Cohen 1968, Psychol.
    Bull. 70:213–220, by the ranks of the sorted classes. Standard error: Fleiss, Cohen and Everitt
    1969, Psychol. Bull. 72:323–327. The interval is made on Fisher's scale, atanh κ ± z·se/(1 − κ²),
    which keeps it within −1 and 1. Where all agree, the standard error is 0 and claims too much: the
    lower limit then takes Wilson's limit of the observed agreement.

    Does not cover: examples that share a source; standard errors are of large samples (some 50).

    Raises:
        ValueError: the raters' lists differ in length.
    """
    pairs = list(zip(ours, theirs, strict=True))
    classes = sorted({*ours, *theirs})
    if len(classes) < 2:
        what = f"both gave {classes[0]!r} to every example" if classes else "no pairs"
        return Interval(None, len(pairs), reason=f"undefined: {what}")
    table = _table(pairs, classes, weights)
    expected = float((_expected(table.shares) * table.agreed).sum())
    observed = float((table.shares * table.agreed).sum())
    value = (observed - expected) / (1 - expected)
    if math.isclose(observed, 1.0):
        return _perfect(len(pairs), expected, confidence)
    return _fisher(value, _standard_error(table, value, len(pairs)), len(pairs), confidence)


def _table(pairs: Sequence[tuple[object, object]], classes: Sequence[object], weights: Weights) -> _Table:
    place = {each: position for position, each in enumerate(classes)}
    shares = np.zeros((len(classes), len(classes)))
    for a, b in pairs:
        shares[place[a], place[b]] += 1 / len(pairs)
    ranks = np.arange(len(classes))
    apart = np.abs(ranks[:, None] - ranks[None, :]) / (len(classes) - 1)
    return _Table(shares, WEIGHTS[weights](apart))


def _expected(shares: Floats) -> Floats:
    product: Floats = shares.sum(axis=1)[:, None] * shares.sum(axis=0)[None, :]
    return product


def _standard_error(table: _Table, value: float, n: int) -> float:
    shares, agreed = table
    expected = float((_expected(shares) * agreed).sum())
    by_row = agreed @ shares.sum(axis=0)
    by_column = shares.sum(axis=1) @ agreed
    around = by_row[:, None] + by_column[None, :]
    spread = float((shares * (agreed - around * (1 - value)) ** 2).sum())
    variance = (spread - (value - expected * (1 - value)) ** 2) / (n * (1 - expected) ** 2)
    return math.sqrt(max(0.0, variance))


def _perfect(n: int, expected: float, confidence: float) -> Interval:
    least = proportion(n, n, confidence).low
    if least is None:
        return Interval(1.0, n, reason="one pair tells nothing of the spread")
    low = (least - expected) / (1 - expected)
    return within(Interval(1.0, n, None, low, 1.0, "wilson, all agree"), -1.0, 1.0)


def _fisher(value: float, se: float, n: int, confidence: float) -> Interval:
    if se == 0 or abs(value) >= 1:
        return Interval(value, n, reason="no spread, so no telling how sure")
    reach = z_quantile(confidence) * se / (1 - value**2)
    middle = math.atanh(value)
    low, high = math.tanh(middle - reach), math.tanh(middle + reach)
    return Interval(value, n, se, low, high, "fleiss-cohen-everitt")
