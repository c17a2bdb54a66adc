"""What a run may take, held before each attempt so that none in flight can overshoot it."""

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import NamedTuple

from llmops.errors import UserError
from llmops.models.stoppable import Stopping
from llmops.numbers import dollars
from llmops.record import Record

SECONDS_PER_MINUTE = 60.0


class Allowance(Record, frozen=True):
    """What one run of a stage may take; None for no limit."""

    budget_usd: float | None = None
    budget_tokens: int | None = None
    """Input and output of every attempt together."""
    budget_calls: int | None = None
    """Attempts that reach a model, retries included."""
    budget_min: float | None = None
    """Minutes from the first request on; those that are in flight then are waited for."""
    allow_unknown_price: bool = False
    """Ask under ``budget_usd`` what has no known price: it is then not limited by it."""


NO_LIMIT = Allowance()


class BudgetSpent(Exception):
    """The next request could go over the budget: a run stops here, and what it has stays good."""


class AtMost(NamedTuple):
    """The most that one attempt can take."""

    usd: float = 0.0
    tokens: int = 0
    usd_per_s: float = 0.0
    """Of an hourly price, which is owed for the time in flight and cannot be foreseen."""


class Reservation(NamedTuple):
    """What is set aside for one attempt in flight."""

    at_most: AtMost
    since_s: float
    ends_soon: bool = True
    """False of one that may take a day, which nobody waits for."""


class Budget:
    """What one run may take, shared by all of its meters.

    Requests are let through in the order in which they come: one that does not fit yet waits for
    those in flight, and those behind it wait too. Once a model's request does not fit when
    nothing is in flight, no other of that model is let through, however cheap. So what was
    asked is the beginning of the order of asking, not its cheap part. Those in batches take as
    long as they take: they neither wait nor are waited for.

    Args:
        allowance: the limits.
        clock: seconds, monotonic.
    """

    def __init__(self, allowance: Allowance = NO_LIMIT, clock: Callable[[], float] = monotonic) -> None:
        self.allowance, self._clock = allowance, clock
        self.spent_usd, self.spent_tokens, self.calls = 0.0, 0, 0
        """What is owed for sure, and the reservations of attempts of which that stayed unknown."""
        self._in_flight = self._ending_soon = 0
        self._held, self._held_since = AtMost(), 0.0
        self._since_s: float | None = None
        self._stopped: dict[str, str] = {}
        self._turn, self._settled, self._waits_end = asyncio.Lock(), asyncio.Event(), False

    async def reserve(self, at_most: AtMost, model: str = "", waits: bool = True) -> Reservation:
        """Set aside what a request can take, waiting for those in flight when it does not fit yet.

        Args:
            waits: False for one in a batch.

        Raises:
            BudgetSpent: it does not fit and nothing is waited for that could come out cheaper, or
                another of the model's requests did not.
            Stopping: it does not fit yet, and the run is to stop.
        """
        if not waits:
            self._check(at_most, model)
            return self._reserved(at_most, ends_soon=False)
        async with self._turn:
            while self._ending_soon and model not in self._stopped and self._full(at_most):
                if self._waits_end:
                    raise Stopping
                self._settled.clear()
                await self._settled.wait()
            self._check(at_most, model)
            return self._reserved(at_most)

    def owe(self, at_most: AtMost) -> Reservation:
        """Set aside what was asked for already, also beyond what is left."""
        return self._reserved(at_most, ends_soon=False)

    def end_waits(self) -> None:
        """Let nobody wait any more, since the run is to stop."""
        self._waits_end = True
        self._settled.set()

    def settle(
        self, reservation: Reservation, owed_usd: float | None, tokens: int | None, *, sent: bool = True
    ) -> None:
        """Put what is owed in the place of what was reserved, which stays where that is unknown.

        Args:
            sent: False for an attempt that never left, which is no call.
        """
        self.calls -= not sent
        held = _with_time(reservation.at_most, self._clock() - reservation.since_s)
        self.spent_usd += held.usd if owed_usd is None else owed_usd
        self.spent_tokens += held.tokens if tokens is None else tokens
        self._hold(reservation, -1)
        self._settled.set()

    def left(self) -> str:
        """Return what is left, in words; empty without a limit. What is in flight counts as taken."""
        allowed, taken = self.allowance, self._taken()
        parts = []
        if allowed.budget_usd is not None:
            parts.append(dollars(max(0.0, allowed.budget_usd - taken.usd)))
        if allowed.budget_tokens is not None:
            parts.append(f"{max(0, allowed.budget_tokens - taken.tokens):,} tokens")
        if allowed.budget_calls is not None:
            parts.append(f"{allowed.budget_calls - self.calls:,} calls")
        if allowed.budget_min is not None:
            parts.append(f"{max(0.0, allowed.budget_min - self._minutes()):.1f} min")
        return f"{', '.join(parts)} left of the budget" if parts else ""

    def _check(self, at_most: AtMost, model: str) -> None:
        if full := self._stopped.get(model) or self._full(at_most):
            self._stopped[model] = full
            raise BudgetSpent(full)

    def _reserved(self, at_most: AtMost, ends_soon: bool = True) -> Reservation:
        reservation = Reservation(at_most, self._clock(), ends_soon)
        self._since_s = reservation.since_s if self._since_s is None else self._since_s
        self._hold(reservation, 1)
        self.calls += 1
        return reservation

    def _hold(self, reservation: Reservation, sign: int) -> None:
        """Add to what is held, or take from it; what nobody holds is exactly 0 again."""
        self._in_flight += sign
        self._ending_soon += sign * reservation.ends_soon
        if not self._in_flight:
            self._held, self._held_since = AtMost(), 0.0
            return
        pairs = zip(self._held, reservation.at_most, strict=True)
        self._held = AtMost._make(held + sign * more for held, more in pairs)
        self._held_since += sign * reservation.at_most.usd_per_s * reservation.since_s

    def _taken(self) -> AtMost:
        """Return what is spent, with what those in flight may take or have accrued."""
        held = self._held
        accrued = held.usd_per_s * self._clock() - self._held_since if held.usd_per_s else 0.0
        return AtMost(self.spent_usd + held.usd + accrued, self.spent_tokens + held.tokens)

    def _minutes(self) -> float:
        return 0.0 if self._since_s is None else (self._clock() - self._since_s) / SECONDS_PER_MINUTE

    def _full(self, at_most: AtMost) -> str | None:
        """Return what the request does not fit in, None when it fits."""
        allowed, taken = self.allowance, self._taken()
        if allowed.budget_calls is not None and self.calls >= allowed.budget_calls:
            return f"budget_calls {allowed.budget_calls} is used up"
        if allowed.budget_min is not None and self._minutes() >= allowed.budget_min:
            return f"budget_min {allowed.budget_min:g} is over"
        if allowed.budget_tokens is not None and taken.tokens + at_most.tokens > allowed.budget_tokens:
            return _too_little("budget_tokens", allowed.budget_tokens, taken.tokens, at_most.tokens)
        if allowed.budget_usd is not None and _over(taken.usd, at_most, allowed.budget_usd):
            return _too_little("budget_usd", allowed.budget_usd, taken.usd, at_most.usd)
        return None


def _with_time(at_most: AtMost, seconds: float) -> AtMost:
    return at_most._replace(usd=at_most.usd + at_most.usd_per_s * seconds)


def _over(usd: float, at_most: AtMost, limit_usd: float) -> bool:
    return usd + at_most.usd > limit_usd or (at_most.usd_per_s > 0 and usd >= limit_usd)


def _too_little(name: str, limit: float, taken: float, wanted: float) -> str:
    return f"{name} {limit:g} does not reach for the next request: {taken:g} taken, it may take {wanted:g}"


LEAST = {
    "budget_usd": 0, "budget_tokens": 0, "budget_calls": 0, "budget_min": 0,
    "concurrency": 1, "attempts": 1, "patience_s": 0,
}  # fmt: skip
ABOVE_0 = ("requests_per_min", "tokens_per_min")


def checked(settings: Allowance, where: str) -> Allowance:
    """Return the settings: an allowance, and what a stage's own record adds to it.

    Raises:
        UserError: a limit with which nothing could be asked, or that is none.
    """
    for field, least in LEAST.items():
        if (limit := getattr(settings, field, None)) is not None and limit < least:
            raise UserError(f"{where}: {field}: is {limit!r}; must be {least} or more")
    for field in ABOVE_0:
        if (limit := getattr(settings, field, None)) is not None and limit <= 0:
            raise UserError(f"{where}: {field}: is {limit!r}; must be above 0, or null for no limit")
    return settings
