"""How many requests are in flight at once: less when the server is overloaded, more while it keeps up.

Additive increase, multiplicative decrease (Chiu and Jain 1989), which brings all who share a server to
fair shares without knowing of each other. A cut is made once for all that was in flight, since their
faults tell one and the same thing (Jacobson 1988). Latency is a brake only: the number does not grow
while a round of answers takes longer than the first one after the cut did, for then they wait for each
other and more would only wait longer (as in TCP Vegas, Brakmo and Peterson 1995). It cuts nothing, for
one answer of a language model may take ten times as long as the next and mean nothing by it.

It starts at the full number: a healthy server is to be used from the first second, and 1,319 requests of
200 ms are over before a slow start has paid off. But requests leave one after the other, so that a refusal
is heard before all of them are out: at the opening, and whenever many answers came at once, as they do
after a moment in which this machine was busy. They are spaced by virtual scheduling (GCRA, ITU-T I.371) at
four times the speed at which answers come. Twice the speed had three of four requests of a steady flow wait
a millisecond, since answers come in the waves in which their requests left.
"""

CUT = 0.7
"""What a cut leaves of the number."""
GROWTH = 1 / 16
"""Share of the most that a round adds."""
SHORTEST_ROUND = 8
"""Answers that a round has at least, as fewer tell little of the latency."""
KEEPS_UP = 1.25
"""How much longer than after the cut a round may take for the number to grow. Where answers wait for
each other, latency is in proportion to the number, so it stays below 0.7 · 1.25 = 0.875 of what was too
much."""
MEMORY = 64
"""Rounds in which the latency that is held to follows the present one, as answers may get longer."""
OPENING_S = 0.001
"""Seconds between two starts before the first answer."""
SPACING = 0.25
"""Share of the seconds between two answers, by Little's law latency by lanes, that lie between two starts."""
AHEAD = 7
"""Starts that may come before their time, to make up for a moment in which nothing could start."""
RECENT = 1 / 16
"""Weight of an answer's latency in the mean of the recent ones."""


class Lanes:
    """The number in flight, between 1 and ``most``.

    Args:
        adaptive: False to keep it at ``most`` whatever happens.
    """

    def __init__(self, most: int, adaptive: bool = True) -> None:
        self.most, self.adaptive = most, adaptive
        self.limit = float(most)
        self.in_flight = 0
        self._due_at = float("-inf")
        self._latency_s: float | None = None
        self._cut_at = float("-inf")
        self._round: list[float] = []
        self._usual_s: float | None = None

    def wait_s(self, now: float) -> float | None:
        """Return the seconds until a request may start, 0 for now; None when one has to end first."""
        if self.in_flight >= int(self.limit):
            return None
        if not self.adaptive:
            return 0.0
        ahead_s = 0.0 if self._latency_s is None else AHEAD * self._gap_s()
        return max(0.0, self._due_at - ahead_s - now)

    def start(self, now: float) -> None:
        """Count a request that starts."""
        self._due_at = max(self._due_at, now) + self._gap_s()
        self.in_flight += 1

    def end(self) -> None:
        """Count a request that ended, whatever came of it."""
        self.in_flight -= 1

    def answered(self, started_at: float, now: float) -> None:
        """Note an answer; at the end of a round the number grows if the server keeps up."""
        latency_s = now - started_at
        known_s = latency_s if self._latency_s is None else self._latency_s
        self._latency_s = known_s + RECENT * (latency_s - known_s)
        if started_at < self._cut_at or self.limit >= self.most:
            return
        self._round.append(latency_s)
        if len(self._round) >= max(SHORTEST_ROUND, int(self.limit)):
            self._end_round(sum(self._round) / len(self._round))

    def _gap_s(self) -> float:
        return OPENING_S if self._latency_s is None else SPACING * self._latency_s / self.limit

    def _end_round(self, mean_s: float) -> None:
        usual_s = mean_s if self._usual_s is None else self._usual_s
        self._round, self._usual_s = [], usual_s + (mean_s - usual_s) / MEMORY
        if mean_s <= KEEPS_UP * usual_s:
            self.limit = min(float(self.most), self.limit + max(1.0, self.most * GROWTH))

    def overloaded(self, started_at: float, now: float) -> None:
        """Cut the number, unless it was cut already since that request started."""
        if self.adaptive and started_at >= self._cut_at:
            self.limit, self._cut_at = max(1.0, self.limit * CUT), now
            self._round, self._usual_s = [], None
