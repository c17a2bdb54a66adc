"""Progress of long work: a line that moves on a terminal, a line every few seconds elsewhere."""

import shutil
import sys
import time
from collections import deque
from collections.abc import Callable
from typing import TextIO

EVERY_S = 5.0
"""Seconds between lines where there is no terminal."""
MOVES_S = 0.2
"""Seconds between looks, which move the line on a terminal."""
WINDOW_S = 10.0
"""Seconds that the rate is taken over, so that it tells of now, not of how it began."""


def tell_aside(line: str) -> None:
    """Write a line of its own to stderr, beside one that moves."""
    print(f"\r\x1b[K{line}" if sys.stderr.isatty() else line, file=sys.stderr, flush=True)


def _fitting(line: str, columns: int) -> str:
    """Return the line, without the last things that it tells where it is too long.

    >>> _fitting("x: 3/9, 1/s, 64 in flight", 20)
    'x: 3/9, 1/s'
    """
    while len(line) > columns and ", " in line:
        line = line.rpartition(", ")[0]
    return line[:columns]


class Progress:
    """Tells how far ``total`` steps have come.

    Args:
        what: what is being done, e.g. ``generate support``.
        total: how many steps there are.
        note: what else to tell, asked for when there is a line to write.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        what: str,
        total: int,
        note: Callable[[], str] = str,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._what, self._total, self._note, self._clock = what, total, note, clock
        self._stream = stream if stream is not None else sys.stderr
        self._moving = self._stream.isatty()
        self._every = MOVES_S if self._moving else EVERY_S
        self._started = self._told_at = clock()
        self._seen = deque([(self._started, 0)])
        self.done = 0

    def step(self) -> None:
        """Count one step."""
        self.done += 1

    def look(self) -> None:
        """Tell how far it has come when it is time, also where no step was made since."""
        now = self._clock()
        self._seen.append((now, self.done))
        while now - self._seen[0][0] > WINDOW_S:
            self._seen.popleft()
        if now - self._told_at >= self._every:
            self._told_at = now
            self._tell(self._rate(*self._seen[0], now))

    def end(self) -> None:
        """Tell the last state, with the rate of all of it."""
        self._tell(self._rate(self._started, 0, self._clock()))
        if self._moving:
            self._stream.write("\n")

    def _rate(self, since: float, done: int, now: float) -> float:
        return (self.done - done) / (now - since) if now > since else 0.0

    def _tell(self, rate: float) -> None:
        left = self._total - self.done
        told = [f"{self._what}: {self.done}/{self._total}", f"{rate:.0f}/s"]
        told += [f"{left / rate:.0f} s left"] if left and rate else []
        line = ", ".join([*told, *filter(None, [self._note()])])
        if self._moving:
            line = f"\r\x1b[K{_fitting(line, shutil.get_terminal_size().columns - 1)}"
        self._stream.write(line if self._moving else f"{line}\n")
        self._stream.flush()
