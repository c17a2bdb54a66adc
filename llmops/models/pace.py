"""Learns from its refusals how many requests a second a server allows that does not say so.

A server that counts by a token bucket or by windows has nothing left each time it begins to refuse. So
between two such moments it let through exactly what it allows: its rate is the number of requests that
it took between them by the seconds between them. That needs no guess, unlike halving (AIMD), which sinks
far below the limit with each refusal: a pace a little below the rate is held, and then raised in growing
steps to see whether more is allowed by now, as CUBIC does (RFC 9438). A measurement below half of the
pace may be wrong, since a bucket that was full lost what came in; then the pace is halved.
"""

from typing import NamedTuple

from llmops.models.bucket import Bucket, evenly

BELOW = 0.98
"""Share of the measured rate that is held, so that what arrives unevenly is not refused."""
HOLD = 100
"""Starts for which a new pace is held; doubled each time that a measurement agrees with the last."""
LONGEST_HOLD = 800
AGREES = 0.1
"""Share of a pace by which a measurement may be below it and still agree."""
FEW, TRIAL = 3, 8
"""Requests taken that are too few to measure by, and starts for which a pace that is a guess is held."""
STEP, LARGEST_STEP = 0.05, 0.5
"""First raise of the pace, relative; each one is twice the last, up to the largest."""
SLOWEST_PER_S, SHORTEST_S = 1 / 60, 1e-3


class _Refused(NamedTuple):
    """One moment at which the server had nothing left."""

    at: float
    taken: int
    """Requests that it took since the moment before, in ``over_s`` seconds."""
    over_s: float
    before: float | None
    """The pace until then, and the starts for which it was held."""
    held: int


class Pace:
    """The pace of one server in requests a second, unlimited until it first refuses."""

    def __init__(self) -> None:
        self.per_s: float | None = None
        self._bucket: Bucket | None = None
        self._first_at: float | None = None
        self._started = 0
        self._refused: _Refused | None = None
        self._raise_at, self._hold, self._step = 0, HOLD, STEP

    def wait_s(self, now: float) -> float:
        """Return the seconds until the next request may start."""
        return self._bucket.wait_s(now, 1.0) if self._bucket else 0.0

    def start(self, now: float) -> None:
        """Count a request that starts now, and raise the pace when it was held for long."""
        self._first_at = now if self._first_at is None else self._first_at
        self._started += 1
        if self._bucket is None or self.per_s is None:
            return
        self._bucket.take(now, 1.0)
        if self._started >= self._raise_at:
            self._set(self.per_s * (1 + self._step), now)
            self._step = min(2 * self._step, LARGEST_STEP)
            self._raise_at = self._started + self._hold // 4

    def refused(self, started_at: float, now: float, reopens_at: float) -> None:
        """Measure anew: a request that started at ``started_at`` was refused for coming too soon.

        Args:
            reopens_at: when requests may start again.
        """
        last = self._refused
        if last and started_at <= last.at:  # one of the same crowd, until now believed to be taken
            self._refused = last._replace(taken=last.taken - 1)
        else:
            since = last.at if last else self._first_at or started_at
            over_s = (now if last else reopens_at) - since
            over_s = max(over_s, SHORTEST_S)
            self._refused = _Refused(now, self._started - 1, over_s, self.per_s, self._hold)
            self._started = 0
        self._settle(self._refused, now)

    def _settle(self, refused: _Refused, now: float) -> None:
        """Hold what was measured for long, and a mere guess only until it was tried."""
        measured, before = BELOW * refused.taken / refused.over_s, refused.before
        known = refused.taken >= FEW and measured >= (before or 0) / 2
        agrees = known and before is not None and measured >= (1 - AGREES) * before
        self._hold = (min(2 * refused.held, LONGEST_HOLD) if agrees else HOLD) if known else TRIAL
        self._raise_at, self._step = self._hold, STEP if known else LARGEST_STEP
        lowest = before / 2 if before else 1 / refused.over_s
        self._set(max(SLOWEST_PER_S, lowest, min(measured, before or measured)), now)

    def _set(self, per_s: float, now: float) -> None:
        self.per_s = per_s
        if self._bucket is None:
            self._bucket = evenly(per_s, now)
        self._bucket.retune(now, per_s)
