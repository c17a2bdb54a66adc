"""Learns how many requests a second a server allows that does not say so, from what it refuses.

A server that counts by a token bucket or by windows has nothing left each time it begins to refuse. So
between two such moments it let through exactly what it allows: its rate is the number of requests that
it took between them by the seconds between them. That needs no guess, unlike halving (AIMD), which sinks
far below the limit with each refusal: a pace a little below the rate is held, and then raised in growing
steps to see whether more is allowed by now, as CUBIC does (RFC 9438). A measurement below half of the
pace may be wrong, since a bucket that was full lost what came in; then the pace is halved.

Not every refusal tells of a rate. A server that is short of machines refuses one in twenty however slowly
it is asked, and slowing down for it would never end. Two signs tell: it took most of what was sent after
the refused request; or it refused at a pace that was just measured, at which no limit would. Such whims
are only paused for, and the pace is raised with each, until a whole crowd is refused.
"""

from typing import NamedTuple

from llmops.models.limits.bucket import Bucket, evenly

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
ENOUGH_TAKEN, TAKEN_TO_REFUSED = 4, 2
"""How many of those sent after a refused request must be taken, at least and for each refused one, for
the refusal to be a whim."""
CROWD = 2
"""Requests sent after a refused one that must be refused too, and more than are taken, to be no whim."""
WHIM_RAISE = 4.0
"""Factor by which a whim raises the pace."""


class _Moment(NamedTuple):
    """One moment at which the server began to refuse."""

    sent_at: float
    """When the first refused request started."""
    at: float
    """When its refusal was heard; what started until then belongs to the same crowd."""
    taken: int
    """Requests that the server took since the moment before, in ``over_s`` seconds."""
    over_s: float
    pace: float | None
    """The pace until then."""
    passed: float
    """The last pace that was raised since it was not refused; 0 when there was none."""
    measured: float | None
    """What had been measured the last time, and the answers for which it was held."""
    hold: int
    later_taken: int = 0
    """Of the crowd, those that started after the first refused one: taken, and refused."""
    later_refused: int = 0

    @property
    def is_whim(self) -> bool:
        """Whether the server went on taking requests."""
        return self.later_taken >= max(ENOUGH_TAKEN, TAKEN_TO_REFUSED * self.later_refused)

    @property
    def is_limit(self) -> bool:
        """Whether the server took no more requests."""
        return self.later_refused >= CROWD and self.later_refused > self.later_taken


class Pace:
    """The pace of one server in requests a second, unlimited until it first refuses."""

    def __init__(self) -> None:
        self.per_s: float | None = None
        self._bucket: Bucket | None = None
        self._first_at: float | None = None
        self._started = self._answered = 0
        self._last: _Moment | None = None
        self._measured: float | None = None
        self._sure = self._whims = False
        self._passed = 0.0
        self._banks = True
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
        last = self._last
        if last is None or self.per_s is None or started_at <= last.sent_at:
            return
        if started_at <= last.at:
            self._last = last._replace(later_taken=last.later_taken + 1)
            if self._last.is_whim:
                self._set(last.pace, now)
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
        last = self._last
        if last and started_at <= last.at:
            later = last.later_refused + (started_at > last.sent_at)
            self._last = last._replace(taken=last.taken - 1, later_refused=later)
        else:
            self._whims = self._whims or (self._sure and not self._passed)
            self._last = self._moment(last, started_at, now, reopens_at)
            self._started, self._answered, self._passed = 0, 0, 0.0
            if self._whims and self.per_s:
                self._set(self.per_s * WHIM_RAISE, now)
        self._whims = self._whims and not self._last.is_limit
        if not self._whims and not self._last.is_whim:
            self._settle(self._last, now)
        self._close(now, reopens_at)

    def _moment(self, last: _Moment | None, started_at: float, now: float, reopens_at: float) -> _Moment:
        since, until = (last.at, now) if last else (self._first_at, reopens_at)
        over_s = max(SHORTEST_S, until - (now if since is None else since))
        taken, pace = self._started - 1, self.per_s
        self._banks = self._banks and (pace is None or taken > evenly(pace, now).size)
        return _Moment(started_at, now, taken, over_s, pace, self._passed, self._measured, self._hold)

    def _settle(self, moment: _Moment, now: float) -> None:
        """Hold what was measured for long, and a mere guess only until it was tried."""
        measured, pace = BELOW * moment.taken / moment.over_s, moment.pace
        lowest = max(moment.passed, pace / 2) if pace else 1 / moment.over_s
        per_s = max(SLOWEST_PER_S, lowest, min(measured, pace or measured))
        known = moment.taken >= FEW
        agrees = known and moment.measured is not None and abs(per_s / moment.measured - 1) <= AGREES
        self._measured = per_s if known else None
        self._sure = known and pace is not None and measured >= lowest
        self._hold = (min(2 * moment.hold, LONGEST_HOLD) if agrees else HOLD) if known else TRIAL
        self._raise_at, self._step = self._hold, STEP if known else LARGEST_STEP
        self._set(per_s, now)

    def _close(self, now: float, reopens_at: float) -> None:
        """Nothing starts before; then what the server put aside meanwhile, if it does, may follow at once."""
        if self._bucket and self.per_s:
            aside = (reopens_at - now) * self.per_s - 1 if self._banks and self._sure else 0.0
            self._bucket.close(reopens_at, aside)

    def _set(self, per_s: float | None, now: float) -> None:
        self.per_s = per_s
        if per_s is None:
            self._bucket = None
        elif self._bucket is None:
            self._bucket = evenly(per_s, now)
        else:
            self._bucket.retune(now, per_s)
