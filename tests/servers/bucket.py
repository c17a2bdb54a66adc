"""A token bucket as rate limits are enforced with: so much a minute, with so much at once at most."""

from collections.abc import Callable
from time import monotonic


class Bucket:
    """Holds up to ``size`` and fills by ``per_min``; what does not fit is refused and takes nothing."""

    def __init__(self, per_min: float, size: float, clock: Callable[[], float] = monotonic) -> None:
        self.size, self.level = size, size
        self._per_s, self._clock, self._at = per_min / 60.0, clock, clock()

    def take(self, amount: float) -> bool:
        """Take an amount when it is there."""
        now = self._clock()
        self.level = min(self.size, self.level + (now - self._at) * self._per_s)
        self._at = now
        if self.level < amount:
            return False
        self.level -= amount
        return True

    def wait_s(self, amount: float) -> float:
        """Return the seconds until an amount is there."""
        return max(0.0, amount - self.level) / self._per_s

    @property
    def full_in_s(self) -> float:
        """Seconds until the bucket is full when nothing more is taken."""
        return (self.size - self.level) / self._per_s
