"""A server and those who ask it, in simulated seconds: an hour of a run takes a moment."""

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Literal, NamedTuple

from llmops.errors import WorldError
from llmops.models.limits.admission import Admission, Rates
from llmops.models.limits.told import RateLimit
from llmops.replies import Reply
from tests.servers.bucket import Bucket

REFUSAL_S = 0.003
"""Seconds until a refusal is heard."""


@dataclass
class Server:
    """What a simulated server does with a request.

    Attributes:
        whim: share of requests that are refused for no reason, in turn.
        tokens_per_min: with a minute's worth at once; None for no limit of them.
        tokens: what a request takes, evenly drawn from these bounds; those who ask expect their mean.
        retry_after: seconds that a 429 asks for, given those until there is room; None sends none.
        tells: whether replies carry the rate limit: as it was when they were ``asked`` or ``answered``.
        work_s: the answer's latency, given how many are in work; beyond ``timeout_s`` it is a timeout.
    """

    per_min: float = 1e9
    burst: float = 1e9
    retry_after: Callable[[float], float] | None = math.ceil
    tells: Literal["asked", "answered"] | None = None
    work_s: Callable[[int], float] = lambda busy: 0.2
    timeout_s: float = math.inf
    whim: float = 0.0
    tokens_per_min: float | None = None
    tokens: tuple[int, int] = (0, 0)


class Ran(NamedTuple):
    """What came of a simulated run."""

    seconds: float
    calls: int
    refused: int
    timeouts: int
    most_in_flight: int
    tokens: int


@dataclass(order=True)
class _Event:
    at: float
    number: int
    end: Callable[[], None] = field(compare=False)


def ran(requests: int, server: Server, rates: Rates = Rates(), most: int = 64) -> Ran:  # noqa: B008 - frozen
    """Ask until every request is answered, and tell how it went."""
    return _Run(requests, server, rates, most).result()


class _Run:
    def __init__(self, requests: int, server: Server, rates: Rates, most: int) -> None:
        self.now, self.server = 0.0, server
        self.bucket = Bucket(server.per_min, server.burst, lambda: self.now)
        a_minute = server.tokens_per_min or 1e9
        self.token_bucket = Bucket(a_minute, a_minute, lambda: self.now)
        self.expected = sum(server.tokens) / 2
        self.admission = Admission(most, rates, 0.0)
        self.left, self.answered, self.requests = requests, 0, requests
        self.calls = self.refused = self.timeouts = self.most = self.tokens = 0
        self.events: list[_Event] = []
        self.drawn = Random(0)

    def result(self) -> Ran:
        while self.answered < self.requests:
            wait_s = self.admission.wait_s(self.now, self.expected) if self.left else None
            if wait_s == 0:
                self._start()
            elif wait_s is not None and (not self.events or self.now + wait_s < self.events[0].at):
                self.now += wait_s
            else:
                event = heapq.heappop(self.events)
                self.now = event.at
                event.end()
        return Ran(self.now, self.calls, self.refused, self.timeouts, self.most, self.tokens)

    def _start(self) -> None:
        ticket = self.admission.start(self.now, self.expected)
        self.left -= 1
        self.calls += 1
        self.most = max(self.most, self.admission.lanes.in_flight)
        tokens = self.drawn.randint(*self.server.tokens) if self.server.tokens_per_min else 0
        taken = self._taken(tokens) and self.drawn.random() >= self.server.whim
        told = self._told() if self.server.tells == "asked" else {}
        latency_s = self.server.work_s(self.admission.lanes.in_flight) if taken else REFUSAL_S

        def end() -> None:
            if not taken:
                self._fail(ticket, "rate_limited", self._retry_after(tokens))
            elif latency_s > self.server.timeout_s:
                self._fail(ticket, "timeout", None)
            else:
                self.answered += 1
                self.tokens += tokens
                reply = Reply(text="x", input_tokens=tokens, output_tokens=0)
                self.admission.answered(ticket, self.now, reply)
            self.admission.heard(ticket, self.now, self._told() if self.server.tells == "answered" else told)
            self.admission.lanes.end()

        heapq.heappush(self.events, _Event(self.now + min(latency_s, self.server.timeout_s), self.calls, end))

    def _taken(self, tokens: int) -> bool:
        return self.bucket.take(1) and self.token_bucket.take(tokens)

    def _retry_after(self, tokens: int) -> float | None:
        wait_s = max(self.bucket.wait_s(1), self.token_bucket.wait_s(tokens))
        return self.server.retry_after(wait_s) if self.server.retry_after else None

    def _told(self) -> dict[str, RateLimit]:
        told = {"requests": _rate_limit(self.bucket)}
        return told | ({"tokens": _rate_limit(self.token_bucket)} if self.server.tokens_per_min else {})

    def _fail(self, ticket, kind: str, retry_after_s: float | None) -> None:
        self.left += 1
        self.refused += kind == "rate_limited"
        self.timeouts += kind == "timeout"
        fault = WorldError(kind, "x", transient=True, retry_after_s=retry_after_s)
        self.admission.failed(ticket, self.now, fault)


def _rate_limit(bucket: Bucket) -> RateLimit:
    bucket.take(0)
    return RateLimit(bucket.size, math.floor(bucket.level), bucket.full_in_s)
