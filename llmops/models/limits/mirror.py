"""A server's rate limit as it must stand there now, from what its replies tell."""

from llmops.models.limits.bucket import Bucket
from llmops.models.limits.told import RateLimit

PRECISE = 0.5
"""A refill is believed when as large a share of what was ever used lies between limit and remaining, for
both are rounded."""
RESERVE, RESERVE_S = 0.25, 0.25
"""What is left untouched, as a share of the limit and in seconds of its refill, whichever is less: requests
do not arrive as evenly as they leave."""


class Mirror:
    """What is left of one unit: the server's number, less what it does not know of yet.

    Some servers count when a request comes, some when its answer leaves, and none says which. The
    truth lies between these two, and our own account goes on as long as it does too.
    """

    def __init__(self) -> None:
        self._bucket: Bucket | None = None
        self._most_used = 0.0

    def wait_s(self, now: float, amount: float) -> float:
        """Return the seconds until an amount may be taken; 0 while nothing is known."""
        if self._bucket is None:
            return 0.0
        reserve = min(RESERVE * self._bucket.size, RESERVE_S * self._bucket.per_s)
        return self._bucket.wait_s(now, amount + reserve)

    def take(self, now: float, amount: float) -> None:
        """Take what a request that starts now will be counted with."""
        if self._bucket:
            self._bucket.take(now, amount)

    def hear(self, rate: RateLimit, started_at: float, now: float, since: float) -> None:
        """Take in what the reply to a request told.

        Args:
            started_at: when the request started.
            since: what requests took that started later.
        """
        used, per_s = rate.limit - rate.remaining, rate.refill_per_s
        if per_s is not None and used >= PRECISE * self._most_used:
            self._most_used = max(used, self._most_used)
        elif self._bucket is None:
            return
        else:
            per_s = self._bucket.per_s
        when_asked = rate.remaining - since + per_s * (now - started_at)
        low, high = sorted((when_asked, rate.remaining))
        level = low if self._bucket is None else min(max(self._bucket.held(now), low), high)
        self._bucket = Bucket(per_s, rate.limit, level, now)
