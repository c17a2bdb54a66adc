"""Until when a request may be begun, told by who asks it again to who makes it wait for its turn."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import inf

from llmops.errors import WorldError

_BEGUN_BY: ContextVar[float] = ContextVar("begun_by", default=inf)


class TooLate(WorldError):
    """The request's turn came when it was not to be begun any more, so that it was not sent."""

    def __init__(self) -> None:
        super().__init__("rate_limited", "not asked: its turn came too late", transient=False, sent=False)


@contextmanager
def begun_by(at_s: float) -> Iterator[None]:
    """Have what is asked in the block begun by then, in seconds of the clock that its limits go by."""
    before = _BEGUN_BY.set(at_s)
    try:
        yield
    finally:
        _BEGUN_BY.reset(before)


def check_begun_by(now_s: float) -> None:
    """Find out whether the request that is asked here may still be begun.

    Raises:
        TooLate: it may not.
    """
    if now_s > _BEGUN_BY.get():
        raise TooLate
