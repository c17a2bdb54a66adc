"""A token bucket: so much a second on average, and so much at once at most."""

CATCH_UP_S = 0.5
"""Seconds of starts that came late and may be made up for, so that a late sleep costs no throughput. A
limit a minute is held by the second at the finest, so half of that is not refused."""
REOPENING = 0.5
"""What a bucket holds that was closed. With 1 the first would come at the very moment that it may; with 0
it would come later than it needs to, each time."""
_ROUNDING = 1e-9


class Bucket:
    """Fills evenly; what is taken may exceed what is there, and the debt is waited off by the next.

    Args:
        per_s: how fast it fills.
        size: the most that it holds.
        level: what it holds at the time ``now``, in seconds.
    """

    def __init__(self, per_s: float, size: float, level: float, now: float) -> None:
        self.per_s, self.size, self.level = per_s, size, level
        self._at = now

    def wait_s(self, now: float, amount: float) -> float:
        """Return the seconds until an amount may be taken, 0 for now; more than the size needs a full one."""
        self._fill(now)
        lacking = min(amount, self.size) - self.level
        return lacking / self.per_s if lacking > _ROUNDING else 0.0

    def take(self, now: float, amount: float) -> None:
        """Take an amount, or give one back that is below 0."""
        self._fill(now)
        self.level = min(self.size, self.level - amount)

    def held(self, now: float) -> float:
        """Return what it holds, below 0 when it is in debt."""
        self._fill(now)
        return self.level

    def retune(self, now: float, per_s: float) -> None:
        """Fill at another speed from now on."""
        self._fill(now)
        self.per_s, self.size = per_s, _size(per_s)

    def close(self, until: float, level: float = 0.0) -> None:
        """Let nothing start until then, and hold so much at that time."""
        self.level, self._at = min(self.size, max(REOPENING, level)), max(self._at, until)

    def _fill(self, now: float) -> None:
        self.level = min(self.size, self.level + max(0.0, now - self._at) * self.per_s)
        self._at = max(self._at, now)


def evenly(per_s: float, now: float) -> Bucket:
    """Return the bucket that spaces starts evenly, the first of them at once."""
    return Bucket(per_s, _size(per_s), 1.0, now)


def _size(per_s: float) -> float:
    return 1.0 + per_s * CATCH_UP_S
