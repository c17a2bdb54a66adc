"""Draws without replacement in which some are likelier than others."""

import math
from collections.abc import Hashable, Mapping, Sequence
from random import Random
from typing import TypeVar

Unit = TypeVar("Unit", bound=Hashable)


def factor(weights: Sequence[float], count: int) -> float:
    """Return the c for which Σ min(1, c · weight) is ``count``: chances in proportion, none above 1.

    Args:
        weights: each above 0.

    Returns:
        Infinity where ``count`` is all of them or more.

    >>> factor([1.0, 1.0, 2.0], 2)
    0.5
    """
    if count >= len(weights):
        return math.inf
    falling = sorted(weights, reverse=True)
    left = math.fsum(falling)
    for sure, weight in enumerate(falling):
        found = (count - sure) / left
        if found * weight <= 1:
            return found
        left -= weight
    return math.inf


def systematic(chances: Mapping[Unit, float], draw: Random) -> list[Unit]:
    """Return units, each drawn with its chance; as many as the chances' sum, up to rounding.

    Madow 1949: one random start, then steps of 1 along the chances, in random order.

    Args:
        chances: unit → its chance, above 0 up to 1.
    """
    order = list(chances)
    draw.shuffle(order)
    total, found = -draw.random(), []
    for unit in order:
        before, total = total, total + chances[unit]
        # Rounding: steps of exactly 1 must not fall just short of the next whole number.
        if math.floor(total + 1e-9) > math.floor(before + 1e-9):
            found.append(unit)
    return found
