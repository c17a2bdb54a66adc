"""A pair that a metric has no value for."""

from typing import NamedTuple


class Unscored(NamedTuple):
    """What a metric returns in place of a value, e.g. for a ranking of which nothing is relevant."""

    reason: str
