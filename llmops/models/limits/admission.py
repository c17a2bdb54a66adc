"""Whether the next request may start: the lanes, the rates and the server's own word taken together.

Pure: it reads no clock and waits for nothing, so every rule of it can be tried with numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from llmops.errors import WorldError
from llmops.models.limits.bucket import Bucket, evenly
from llmops.models.limits.lanes import Lanes
from llmops.models.limits.mirror import Mirror
from llmops.models.limits.pace import Pace
from llmops.models.limits.told import RateLimit, Unit
from llmops.replies import Reply

SECONDS_PER_MINUTE = 60.0
PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
"""Pause after a refusal without ``Retry-After``; twice as long for each in a row."""
MOST_DOUBLED = 64
"""Times that a pause is doubled; a float holds no more than 1,023."""
FORGETS = 0.995
"""Share that each answer leaves of how many more tokens than expected one took."""
AT_ONCE_S = 1e-6
"""A wait that is none."""
OVERLOAD = frozenset({"overloaded", "timeout"})
"""Faults that tell of too much at once. A 500 or a broken connection may have any reason."""


@dataclass(frozen=True)
class Rates:
    """What is known of a server's limits beforehand.

    Attributes:
        requests_per_min: None where no limit is known; a server may tell or show one.
        tokens_per_min: of prompts and answers together.
        adaptive: False to ask as settings say, whatever the server does; it may still ask for a pause.
        longest_wait_s: a pause beyond it is not waited for.
    """

    requests_per_min: float | None = None
    tokens_per_min: float | None = None
    adaptive: bool = True
    longest_wait_s: float = 600.0


class Ticket(NamedTuple):
    """One request that started."""

    number: int
    started_at: float
    tokens: float
    tokens_so_far: float
    """Of all that started until then, its own included."""


class Admission:
    """What lets requests start; all times are seconds of one clock.

    Args:
        most: requests in flight at most.
        now: when it begins.
    """

    def __init__(self, most: int, rates: Rates, now: float) -> None:
        self.lanes, self.pace, self.rates = Lanes(most, rates.adaptive), Pace(), rates
        self.closed_until = now
        self._started, self._tokens = 0, 0.0
        self._refusals = 0
        self._more_tokens = 0.0
        self._set: dict[Unit, Bucket] = {}
        self._told: dict[Unit, Mirror] = {}
        self._told_by = 0
        settings: dict[Unit, float | None] = {
            "requests": rates.requests_per_min,
            "tokens": rates.tokens_per_min,
        }
        for unit, per_min in settings.items():
            if per_min:
                self._set[unit] = evenly(per_min / SECONDS_PER_MINUTE, now)

    def wait_s(self, now: float, tokens: float) -> float | None:
        """Return the seconds until a request may start, 0 for now; None when one has to end first.

        Raises:
            WorldError: the server asked for a longer pause than is waited for.
        """
        amounts: dict[Unit, float] = {"requests": 1.0, "tokens": tokens}
        at_most: dict[Unit, float] = {"requests": 1.0, "tokens": tokens + self._more_tokens}
        told_s = [mirror.wait_s(now, at_most[unit]) for unit, mirror in self._told.items()]
        pause_s = max(self.closed_until - now, *told_s, 0.0)
        if pause_s > self.rates.longest_wait_s:
            message = f"not asked: the server wants a pause of {pause_s:.0f} s more"
            raise WorldError("rate_limited", message, transient=False, sent=False)
        lane_s = self.lanes.wait_s(now)
        if lane_s is None:
            return None
        set_s = [bucket.wait_s(now, amounts[unit]) for unit, bucket in self._set.items()]
        wait_s = max(pause_s, lane_s, self.pace.wait_s(now), *set_s)
        return wait_s if wait_s > AT_ONCE_S else 0.0

    def start(self, now: float, tokens: float) -> Ticket:
        """Let a request start."""
        self._started += 1
        self._tokens += tokens
        self.lanes.start(now)
        self.pace.start(now)
        self._take(self._set, now, 1.0, tokens)
        self._take(self._told, now, 1.0, tokens)
        return Ticket(self._started, now, tokens, self._tokens)

    def answered(self, ticket: Ticket, now: float, reply: Reply) -> None:
        """Note an answer, with what it really took."""
        self._refusals = 0
        self.lanes.answered(ticket.started_at, now)
        self.pace.answered(ticket.started_at, now)
        if reply.input_tokens is not None and reply.output_tokens is not None:
            more = reply.input_tokens + reply.output_tokens - ticket.tokens
            self._take(self._set, now, 0.0, more)
            self._take(self._told, now, 0.0, more)
            self._more_tokens = max(more, FORGETS * self._more_tokens)

    def failed(self, ticket: Ticket, now: float, fault: WorldError) -> None:
        """Note a fault: a refusal closes for everyone and slows the pace, overload takes lanes away."""
        refused = fault.kind == "rate_limited"
        if fault.retry_after_s is not None:
            self.closed_until = max(self.closed_until, now + fault.retry_after_s)
        elif refused and ticket.started_at >= self.closed_until:
            self.closed_until = now + self._pause_s()
            self._refusals += 1
        if refused and self.rates.adaptive:
            self.pace.refused(ticket.started_at, now, self.closed_until)
        if fault.kind in OVERLOAD:
            self.lanes.overloaded(ticket.started_at, now)

    def heard(self, ticket: Ticket, now: float, told: Mapping[Unit, RateLimit]) -> None:
        """Take in what the reply to a request told."""
        if not self.rates.adaptive or ticket.number < self._told_by:
            return
        since: dict[Unit, float] = {
            "requests": self._started - ticket.number,
            "tokens": self._tokens - ticket.tokens_so_far,
        }
        for unit, rate in told.items():
            self._told_by = ticket.number
            self._told.setdefault(unit, Mirror()).hear(rate, ticket.started_at, now, since[unit])

    def _pause_s(self) -> float:
        spacing_s = 1 / self.pace.per_s if self.pace.per_s else PAUSE_S
        return min(LONGEST_PAUSE_S, min(PAUSE_S, spacing_s) * 2.0 ** min(self._refusals, MOST_DOUBLED))

    @staticmethod
    def _take(
        buckets: Mapping[Unit, Bucket] | Mapping[Unit, Mirror], now: float, requests: float, tokens: float
    ) -> None:
        for unit, bucket in buckets.items():
            bucket.take(now, requests if unit == "requests" else tokens)
