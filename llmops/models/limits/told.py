"""What a server last told of its limits, read from the headers of its replies."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal, NamedTuple

Unit = Literal["requests", "tokens"]
UNITS: tuple[Unit, ...] = ("requests", "tokens")

_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|us|µs|ns|h|m|s|d)")
_SECONDS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_EPOCH_S = 1e9
"""A bare number beyond this is a time since 1970 and no duration: in seconds, or in milliseconds."""


class RateLimit(NamedTuple):
    """How much of one unit the server still takes."""

    limit: float
    remaining: float
    reset_s: float
    """Seconds until ``remaining`` is ``limit`` again."""

    @property
    def refill_per_s(self) -> float | None:
        """How fast it comes back at least, as ``remaining`` is rounded; None where that is not told."""
        used = self.limit - self.remaining - 1
        return used / self.reset_s if used > 0 and self.reset_s > 0 else None


class Told:
    """The server's last word on its limits; one belongs to each model, which writes what it hears."""

    def __init__(self) -> None:
        self._last: dict[Unit, RateLimit] = {}

    def hear(self, headers: Mapping[str, str]) -> None:
        """Note ``x-ratelimit-{limit,remaining,reset}-{requests,tokens}``, each unit as a whole."""
        self._last = {unit: found for unit in UNITS if (found := _rate_limit(headers, unit)) is not None}

    def taken(self) -> dict[Unit, RateLimit]:
        """Return the last word once, and nothing until there is another."""
        last, self._last = self._last, {}
        return last


def _rate_limit(headers: Mapping[str, str], unit: Unit) -> RateLimit | None:
    if not (limit := _number(headers.get(f"x-ratelimit-limit-{unit}"))):
        return None
    remaining = _number(headers.get(f"x-ratelimit-remaining-{unit}"))
    reset_s = seconds_until(headers.get(f"x-ratelimit-reset-{unit}"))
    if remaining is None or reset_s is None:
        return None
    return RateLimit(limit, min(remaining, limit), reset_s)


def _number(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return max(0.0, number) if math.isfinite(number) else None


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return the seconds to wait that ``retry-after-ms`` or ``Retry-After`` gives; None without one."""
    exactly = _number(headers.get("retry-after-ms"))
    return seconds_until(headers.get("retry-after")) if exactly is None else exactly / 1000


def seconds_until(text: str | None, now: datetime | None = None) -> float | None:
    """Return the seconds that a header's time is away, at least 0; None when it cannot be read.

    It may be seconds, a duration as Go writes it, a time since 1970, or a date of HTTP or ISO 8601.

    >>> [seconds_until(text) for text in ("1.5", "6m0s", "20ms", "1h2m3.5s", "soon")]
    [1.5, 360.0, 0.02, 3723.5, None]
    """
    if text is None or not (text := text.strip()):
        return None
    moment = now or datetime.now(UTC)
    number = _number(text)
    if number is not None:
        since_1970 = number / 1000 if number > _EPOCH_S * 1000 else number
        return max(0.0, since_1970 - moment.timestamp()) if number > _EPOCH_S else number
    parts = _PART.findall(text)
    if parts and "".join(amount + unit for amount, unit in parts) == text:
        return _number(str(sum(float(amount) * _SECONDS[unit] for amount, unit in parts)))
    date = _date(text)
    return None if date is None else max(0.0, (date - moment).total_seconds())


def _date(text: str) -> datetime | None:
    from email.utils import parsedate_to_datetime  # half of what loading this module would take

    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            date = read(text)
        except (TypeError, ValueError, OverflowError):  # a year or a zone that no clock has
            continue
        return date if date.tzinfo else date.replace(tzinfo=UTC)
    return None
