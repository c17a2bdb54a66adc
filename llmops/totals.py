"""Sums of which a part may be unknown: then the whole is unknown too."""

from collections.abc import Iterable
from typing import TypeVar

Number = TypeVar("Number", int, float)


def total(values: Iterable[Number | None]) -> Number | None:
    """Return the sum, None when any value is not known: a part is not the whole.

    >>> total([1, 2]), total([1, None]), total([])
    (3, None, 0)
    """
    every = list(values)
    known = [value for value in every if value is not None]
    return sum(known) if len(known) == len(every) else None
