"""The win rate that would be, were both answers of one length."""

from collections.abc import Sequence

import numpy as np

from llmops.stats.column import Floats, finite
from llmops.stats.interval import Interval, z_quantile

STEPS = 50
TOLERANCE = 1e-10
SEPARATED = 15.0
"""A log-odds beyond which lengths decide every outcome and no maximum exists."""


def length_controlled(
    values: Sequence[float],
    lengths: Sequence[tuple[float, float]],
    clusters: Sequence[str] | None = None,
    confidence: float = 0.95,
) -> Interval:
    """Estimate the win rate at no difference of length.

    E[value] = σ(θ + φ·tanh(Δ/sd(Δ))) by logistic quasi-likelihood (Papke & Wooldridge 1996, J. Appl. Econ.
    11:619–632), Δ = our length − theirs; the rate is σ(θ). Its interval is σ(θ ± z·se), se from the
    sandwich over clusters. AlpacaEval 2 (Dubois et al. 2024, arXiv 2404.04475) has a third term, the
    instruction's difficulty, which it knows from many models' outcomes, and shrinks φ; here there is
    neither.

    Args:
        values: 1 for a win, 0.5 for a tie, 0 for a loss.
        lengths: (ours, theirs) of each, in any unit.
    """
    y, n = finite(values), len(values)
    if n < 3:
        return Interval(None, n, reason="too few pairs")
    ours, theirs = np.asarray(lengths, dtype=np.float64).T
    gap = ours - theirs
    spread = float(gap.std())
    if spread == 0:
        return Interval(None, n, reason="all pairs differ alike in length")
    x = np.stack([np.ones(n), np.tanh(gap / spread)], axis=1)
    fitted = _fitted(x, y)
    if fitted is None:
        return Interval(None, n, reason="the lengths, or one side, decide every outcome")
    theta, se = float(fitted[0]), _standard_error(x, y, fitted, clusters)
    reach = z_quantile(confidence) * se
    rate = _sigma(np.array([theta, theta - reach, theta + reach]))
    return Interval(
        float(rate[0]),
        n,
        float(rate[0] * (1 - rate[0]) * se),
        float(rate[1]),
        float(rate[2]),
        "quasi-likelihood, sandwich",
    )


def _fitted(x: Floats, y: Floats) -> Floats | None:
    beta = np.zeros(x.shape[1])
    for _ in range(STEPS):
        p = _sigma(x @ beta)
        information = (x * (p * (1 - p))[:, None]).T @ x
        if np.linalg.cond(information) > 1 / np.finfo(np.float64).eps:
            return None
        step = np.linalg.solve(information, x.T @ (y - p))
        beta = beta + step
        if np.abs(beta).max() > SEPARATED:
            return None
        if np.abs(step).max() < TOLERANCE:
            return beta
    return None


def _standard_error(x: Floats, y: Floats, beta: Floats, clusters: Sequence[str] | None) -> float:
    p = _sigma(x @ beta)
    bread = np.linalg.inv((x * (p * (1 - p))[:, None]).T @ x)
    scores = x * (y - p)[:, None]
    if clusters is not None:
        _, places = np.unique(np.asarray(clusters), return_inverse=True)
        summed = np.zeros((int(places.max()) + 1, x.shape[1]))
        np.add.at(summed, places, scores)
        scores = summed
    groups = len(scores)
    variance = bread @ (scores.T @ scores) @ bread * groups / max(1, groups - 1)
    return float(np.sqrt(variance[0, 0]))


def _sigma(z: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-z)))
