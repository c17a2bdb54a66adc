"""Cohen's kappa: how far two raters agree beyond what their habits alone would bring about."""

import math
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np

from llmops.stats.column import Floats
from llmops.stats.interval import Interval, t_quantile, within, z_quantile
from llmops.stats.proportion import proportion
from llmops.stats.spread import clustered_se, sources

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
    clusters: Sequence[str] | None = None,
) -> Interval:
    """Estimate Cohen's kappa of two raters of the same examples.

    (p_o − p_e) / (1 − p_e): Cohen 1960, Educ. Psychol. Meas. 20:37–46; weighted: Cohen 1968, Psychol.
    Bull. 70:213–220, by the ranks of the sorted classes. Standard error: Fleiss, Cohen and Everitt
    1969, Psychol. Bull. 72:323–327. The interval is made on Fisher's scale, atanh κ ± z·se/(1 − κ²),
    which keeps it within −1 and 1. Where all agree, the standard error is 0 and claims too much: the
    lower limit then takes Wilson's limit of the observed agreement. Where examples share a source
    (``clusters``: its name for each), the same linearization is summed within each: Yang and Zhou 2014,
    Stat. Med. 33:2612–2633, with t on clusters − 1 degrees of freedom in place of z.

    Does not cover: small samples; the standard errors are of large ones (some 50 examples or sources).

    Raises:
        ValueError: the raters' lists differ in length.
    """
    pairs = list(zip(ours, theirs, strict=True))
    classes = sorted({*ours, *theirs})
    if len(classes) < 2:
        what = f"both gave {classes[0]!r} to every example" if classes else "no pairs"
        return Interval(None, len(pairs), reason=f"undefined: {what}")
    if 1 in (len(set(ours)), len(set(theirs))):
        # Exactly: what is agreed is what is expected, however the other rater's classes fall.
        return Interval(0.0, len(pairs), reason="one rater gave a single class, so no telling how sure")
    table = _table(pairs, classes, weights)
    expected = float((_expected(table.shares) * table.agreed).sum())
    observed = float((table.shares * table.agreed).sum())
    value, shared = (observed - expected) / (1 - expected), sources(clusters, len(pairs))
    if math.isclose(observed, 1.0):
        units = len(pairs) if shared is None else len(set(shared))
        return _perfect(units, expected, confidence)._replace(n=len(pairs))
    if shared is None:
        return _fisher(value, _standard_error(table, value, len(pairs)), len(pairs), z_quantile(confidence))
    if len(set(shared)) < 2:
        return Interval(value, len(pairs), reason="one cluster tells nothing of the spread")
    place = {each: position for position, each in enumerate(classes)}
    shifts = _linearized(table, value)
    rows = np.array([shifts[place[a], place[b]] for a, b in pairs])
    found = _fisher(
        value, clustered_se(rows, shared), len(pairs), t_quantile(confidence, len(set(shared)) - 1)
    )
    return found._replace(method=found.method and "clustered")


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


def _linearized(table: _Table, value: float) -> Floats:
    """(classes × classes): what a pair of the cell adds to kappa, around 0 and times n."""
    shares, agreed = table
    expected = float((_expected(shares) * agreed).sum())
    around = (agreed @ shares.sum(axis=0))[:, None] + (shares.sum(axis=1) @ agreed)[None, :]
    raw = agreed - around * (1 - value)
    shifts: Floats = (raw - float((shares * raw).sum())) / (1 - expected)
    return shifts


def _standard_error(table: _Table, value: float, n: int) -> float:
    return math.sqrt(float((table.shares * _linearized(table, value) ** 2).sum()) / n)


def _perfect(n: int, expected: float, confidence: float) -> Interval:
    least = proportion(n, n, confidence).low
    if least is None:
        return Interval(1.0, n, reason="one pair tells nothing of the spread")
    low = (least - expected) / (1 - expected)
    return within(Interval(1.0, n, None, low, 1.0, "wilson, all agree"), -1.0, 1.0)


def _fisher(value: float, se: float, n: int, quantile: float) -> Interval:
    if se == 0 or abs(value) >= 1:
        return Interval(value, n, reason="no spread, so no telling how sure")
    reach = quantile * se / (1 - value**2)
    middle = math.atanh(value)
    low, high = math.tanh(middle - reach), math.tanh(middle + reach)
    return Interval(value, n, se, low, high, "fleiss-cohen-everitt")
