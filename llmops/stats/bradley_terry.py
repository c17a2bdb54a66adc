"""Strengths of several competitors from the outcomes of pairs."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmops.stats.bootstrap import Resampling, bootstrap
from llmops.stats.column import Floats
from llmops.stats.interval import Interval

STEPS = 5_000
TOLERANCE = 1e-9


class Pairing(NamedTuple):
    """One outcome between two competitors."""

    first: str
    second: str
    value: float
    """1 where the first won, 0.5 for a tie, 0 where the second did."""
    source: str
    """What outcomes share that do not stand each for itself: the example."""


def strengths(
    pairings: Sequence[Pairing], resampling: Resampling, confidence: float = 0.95
) -> dict[str, Interval]:
    """Return each competitor's log-strength, all of which sum to 0.

    P(i beats j) = 1 / (1 + exp(βj − βi)): Bradley & Terry 1952, Biometrika 39:324–345, by Hunter's MM
    algorithm (2004, Ann. Stat. 32:384–406). A tie is half a win for each; Davidson's tie parameter (1970)
    would be one more number that no ranking needs. The intervals are the percentile bootstrap's over the
    sources. A maximum exists only where each set of competitors has won against the rest (Ford 1957): else
    there is no strength.
    """
    names = list(dict.fromkeys(name for each in pairings for name in (each.first, each.second)))
    if not names:
        return {}
    sources = list(dict.fromkeys(each.source for each in pairings))
    wins = _wins(pairings, names, sources)

    def statistic(counts: NDArray[np.int64]) -> Floats:
        return _fitted(np.tensordot(counts.astype(np.float64), wins, axes=1))

    ones = np.ones(len(sources), dtype=np.int64)
    if np.isnan(statistic(ones[None, :])).any():
        why = "some competitors never won against the others, so that no strength is finite"
        return {name: Interval(None, len(sources), reason=why) for name in names}
    found = bootstrap(statistic, ones, resampling.seed, resampling.resamples, confidence)
    return dict(zip(names, found, strict=True))


def _wins(pairings: Sequence[Pairing], names: Sequence[str], sources: Sequence[str]) -> Floats:
    """Return (sources × competitors × competitors): how often the row won against the column."""
    place = {name: number for number, name in enumerate(names)}
    row = {source: number for number, source in enumerate(sources)}
    wins = np.zeros((len(sources), len(names), len(names)))
    for first, second, value, source in pairings:
        wins[row[source], place[first], place[second]] += value
        wins[row[source], place[second], place[first]] += 1.0 - value
    return wins


def _fitted(wins: Floats) -> Floats:
    """Return (tables × competitors) log-strengths of (tables × competitors × competitors) wins."""
    games, won = wins + wins.transpose(0, 2, 1), wins.sum(axis=2)
    defined = _connected(wins > 0)
    beta = np.full(won.shape, np.nan)
    games, won = games[defined], won[defined]
    p = np.ones_like(won)
    for _ in range(STEPS if len(p) else 0):
        new = won / (games / (p[:, :, None] + p[:, None, :])).sum(axis=2)
        new /= np.exp(np.log(new).mean(axis=1, keepdims=True))
        moved = np.abs(np.log(new) - np.log(p)).max()
        p = new
        if moved < TOLERANCE:
            break
    beta[defined] = np.log(p)
    return beta


def _connected(beats: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell for each table whether every competitor is reached from every other along wins."""
    reach = beats | np.eye(beats.shape[1], dtype=bool)
    for _ in range(max(1, beats.shape[1].bit_length())):
        reach = np.matmul(reach.astype(np.float64), reach.astype(np.float64)) > 0
    return np.asarray(reach.all(axis=(1, 2)))
