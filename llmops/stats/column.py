"""A column of values, checked on the way in."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def finite(values: Sequence[float] | Floats) -> Floats:
    """The values as one array.

    Raises:
        ValueError: a value is NaN or infinite.
    """
    column = np.asarray(values, dtype=np.float64)
    if not np.isfinite(column).all():
        where = int(np.flatnonzero(~np.isfinite(column))[0])
        raise ValueError(f"values[{where}] is {float(column[where])!r}; every value must be finite")
    return column


def binary(values: Floats) -> bool:
    """Every value is 0 or 1."""
    return bool(np.isin(values, (0.0, 1.0)).all())
