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
HOLD, LONGEST_HOLD = 100, 800
"""Answers for which a measured pace is held; twice as long each time that a measurement agrees with it."""
AGREES = 0.1
"""Relative difference up to which two measurements agree."""
FEW, TRIAL = 3, 8
"""Requests taken that are too few to measure by, and answers for which a pace that is a guess is held."""
STEP, LARGEST_STEP = 0.05, 0.5
"""First raise of the pace, relative; each one is twice the last, up to the largest."""
SLOWEST_PER_S, SHORTEST_S = 1 / 60, 1e-3


class _Refused(NamedTuple):
    """One moment at which the server had nothing left."""

    at: float
    taken: int
    """Requests that it took since the moment before, in ``over_s`` seconds."""
    over_s: float
    pace: float | None
    """The pace until then."""
    passed: float
    """The last pace that was raised since it was not refused; 0 when there was none."""
    measured: float | None
    """What had been measured the last time, and the answers for which it was held."""
    hold: int


class Pace:
    """The pace of one server in requests a second, unlimited until it first refuses."""

    def __init__(self) -> None:
        self.per_s: float | None = None
        self._bucket: Bucket | None = None
        self._first_at: float | None = None
        self._started = self._answered = 0
        self._refused: _Refused | None = None
        self._measured: float | None = None
        self._passed = 0.0
        self._raise_at, self._hold, self._step = HOLD, HOLD, STEP

    def wait_s(self, now: float) -> float:
        """Return the seconds until the next request may start."""
        return self._bucket.wait_s(now, 1.0) if self._bucket else 0.0

    def start(self, now: float) -> None:
        """Count a request that starts now."""
        self._first_at = now if self._first_at is None else self._first_at
        self._started += 1
        if self._bucket:
            self._bucket.take(now, 1.0)

    def answered(self, started_at: float, now: float) -> None:
        """Note a request that was not refused, and raise the pace when enough were not."""
        if self.per_s is None or self._refused is None or started_at <= self._refused.at:
            return
        self._answered += 1
        if self._answered >= self._raise_at:
            self._passed = self.per_s
            self._set(self.per_s * (1 + self._step), now)
            self._step = min(2 * self._step, LARGEST_STEP)
            self._raise_at = self._answered + self._hold // 4

    def refused(self, started_at: float, now: float, reopens_at: float) -> None:
        """Measure anew: a request that started at ``started_at`` was refused for coming too soon.

        Args:
            reopens_at: when requests may start again.
        """
        last = self._refused
        if last and started_at <= last.at:  # one of the same crowd, until now believed to be taken
            self._refused = last._replace(taken=last.taken - 1)
        else:
            self._refused = self._moment(last, now, reopens_at)
            self._started = self._answered = 0
            self._passed = 0.0
        self._settle(self._refused, now)
        if self._bucket:
            self._bucket.close(reopens_at)

    def _moment(self, last: _Refused | None, now: float, reopens_at: float) -> _Refused:
        since, until = (last.at, now) if last else (self._first_at, reopens_at)
        over_s = max(SHORTEST_S, until - (now if since is None else since))
        taken = self._started - 1
        return _Refused(now, taken, over_s, self.per_s, self._passed, self._measured, self._hold)

    def _settle(self, refused: _Refused, now: float) -> None:
        """Hold what was measured for long, and a mere guess only until it was tried."""
        measured = BELOW * refused.taken / refused.over_s
        pace = refused.pace
        lowest = max(refused.passed, pace / 2) if pace else 1 / refused.over_s
        per_s = max(SLOWEST_PER_S, lowest, min(measured, pace or measured))
        known = refused.taken >= FEW
        agrees = known and refused.measured is not None and abs(per_s / refused.measured - 1) <= AGREES
        self._measured = per_s if known else None
        self._hold = (min(2 * refused.hold, LONGEST_HOLD) if agrees else HOLD) if known else TRIAL
        self._raise_at, self._step = self._hold, STEP if known else LARGEST_STEP
        self._set(per_s, now)

    def _set(self, per_s: float, now: float) -> None:
        self.per_s = per_s
        if self._bucket is None:
            self._bucket = evenly(per_s, now)
        self._bucket.retune(now, per_s)
