"""Has what is asked the same again come to answer otherwise? A paired permutation test of few examples."""

import math
from collections.abc import Mapping, Sequence, Set
from typing import NamedTuple

import numpy as np

from llmops.stats.column import Floats, finite

EXACT = 12
"""Pairs that differ up to which every swap is counted, 4,096 of them, in place of a random sample."""

NO_PAIR = "no example has a value then and now"
Repeats = Sequence[float]
"""One example's values, one for each time that it was asked."""
Features = Set[str]
"""What one answer has, of what answers may have or lack."""


class Shift(NamedTuple):
    """How far values moved from then to now, and how likely chance alone moves them as far."""

    n: int
    """Examples that have a value on both sides."""
    differ: int
    """How many of them have another mean now."""
    then: float | None = None
    """Mean over the examples of their means."""
    now: float | None = None
    p_value: float | None = None
    reason: str | None = None


def shift(then: Sequence[Repeats], now: Sequence[Repeats], seed: int = 0, resamples: int = 10_000) -> Shift:
    """Test whether the examples' values are drawn as before, two-sided.

    If nothing moved, an example's values could as well be dealt out to then and now otherwise. The
    statistic is the mean over examples of mean now less mean then; p is the share of deals at least
    as far from 0: of all deals, where each example has one value a side and at most 12 pairs
    differ (Fisher 1935, The Design of Experiments, section 21), else (1 + k)/(1 + B) of B random
    ones (Phipson & Smyth 2010, Stat. Appl. Genet. Mol. Biol. 9:39). Where no example differs, p is 1.

    Does not cover: a move that leaves the mean where it was, and examples whose answers are not
    independent of one another.

    Raises:
        ValueError: the columns differ in length, an example has no value, or a value is not finite.
    """
    sides = _checked(then, now)
    if not sides:
        return Shift(0, 0, reason=NO_PAIR)
    p_value, differ = _chance([(a[:, None], b[:, None]) for a, b in sides], seed, resamples)
    before, after = (float(np.mean([side.mean() for side in column])) for column in zip(*sides, strict=True))
    return Shift(len(sides), differ, before, after, p_value)


class Reform(NamedTuple):
    """How far the shares of features moved, and the one that moved most, with its shares as the means."""

    shift: Shift
    feature: str = ""


def reform(
    then: Sequence[Sequence[Features]],
    now: Sequence[Sequence[Features]],
    seed: int = 0,
    resamples: int = 10_000,
) -> Reform:
    """Test whether answers have their features as often as before.

    As ``shift``, but the statistic is the sum over features of how far the feature's share moved, which
    is twice the total variation distance for features of which each answer has just one.

    Raises:
        ValueError: the columns differ in length, or an example has no answer.
    """
    names = sorted({name for side in (*then, *now) for features in side for name in features})
    place = {name: number for number, name in enumerate(names)}
    sides = [(_marked(a, place), _marked(b, place)) for a, b in zip(then, now, strict=True)]
    if not sides or not names:
        return Reform(Shift(len(sides), 0, reason=NO_PAIR))
    p_value, differ = _chance(sides, seed, resamples)
    before, after = (
        np.mean([side.mean(axis=0) for side in column], axis=0) for column in zip(*sides, strict=True)
    )
    most = int(np.abs(after - before).argmax())
    return Reform(Shift(len(sides), differ, float(before[most]), float(after[most]), p_value), names[most])


def _marked(answers: Sequence[Features], place: Mapping[str, int]) -> Floats:
    """Return a row an answer, 1 where it has the feature."""
    if not answers:
        raise ValueError("an example has no answer then or now; leave it out")
    rows = np.zeros((len(answers), len(place)))
    for row, features in zip(rows, answers, strict=True):
        row[[place[name] for name in features]] = 1.0
    return rows


def _chance(sides: Sequence[tuple[Floats, Floats]], seed: int, resamples: int) -> tuple[float, int]:
    """Return the p-value of values in rows, a column each measure, and how many examples differ."""
    differences = np.array([b.mean(axis=0) - a.mean(axis=0) for a, b in sides])
    seen = float(np.abs(differences.sum(axis=0)).sum()) * (1 - 1e-12)  # sums differ in their last bits
    single = all(len(a) == len(b) == 1 for a, b in sides)
    moving = differences[(differences != 0).any(axis=1)]
    if single and len(moving) <= EXACT:
        return float((np.abs(_every_swap(moving)).sum(axis=1) >= seen).mean()), len(moving)
    generator = np.random.default_rng(seed)
    dealt = _swaps(moving, generator, resamples) if single else _deals(sides, generator, resamples)
    reached = int((np.abs(dealt).sum(axis=1) >= seen).sum())
    return (1 + reached) / (1 + resamples), len(moving)


def least_p(repeats: Sequence[tuple[int, int]], resamples: int = 10_000) -> float:
    """Return the smallest p-value that ``shift`` can give examples of so many values (then, now).

    >>> least_p([(1, 1)] * 5), least_p([])
    (0.0625, 1.0)
    """
    if not repeats:
        return 1.0
    both_ends = 2 if all(then == now for then, now in repeats) else 1
    deals = sum(math.log(math.comb(then + now, then)) for then, now in repeats)
    exact = math.exp(math.log(both_ends) - deals)
    counted = len(repeats) <= EXACT and all(pair == (1, 1) for pair in repeats)
    return min(1.0, round(exact, 15) if counted else max(exact, 1 / (1 + resamples)))


def _checked(then: Sequence[Repeats], now: Sequence[Repeats]) -> list[tuple[Floats, Floats]]:
    if len(then) != len(now):
        raise ValueError(f"{len(then)} examples then against {len(now)} now; pairs need one of each")
    sides = [(finite(a), finite(b)) for a, b in zip(then, now, strict=True)]
    if any(len(a) == 0 or len(b) == 0 for a, b in sides):
        raise ValueError("an example has no value then or now; leave it out")
    return sides


def _every_swap(moving: Floats) -> Floats:
    sums = np.zeros((1, moving.shape[1]))
    for difference in moving:
        sums = np.concatenate([sums + difference, sums - difference])
    return sums


def _swaps(moving: Floats, generator: np.random.Generator, resamples: int) -> Floats:
    signs = generator.integers(0, 2, size=(resamples, len(moving)), dtype=np.int8) * 2.0 - 1.0
    return np.asarray(signs @ moving)


def _deals(sides: Sequence[tuple[Floats, Floats]], generator: np.random.Generator, resamples: int) -> Floats:
    sums = np.zeros((resamples, sides[0][0].shape[1]))
    for then, now in sides:
        held = np.concatenate([then, now])
        hands = held[generator.permuted(np.tile(np.arange(len(held)), (resamples, 1)), axis=1)]
        sums += hands[:, len(then) :].mean(axis=1) - hands[:, : len(then)].mean(axis=1)
    return sums
