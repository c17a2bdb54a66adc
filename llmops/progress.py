"""Progress of long work: a line that moves on a terminal, a line every few seconds elsewhere."""

import sys
import time
from collections.abc import Callable
from typing import TextIO

EVERY_S = 5.0
"""Seconds between lines where there is no terminal."""


class Progress:
    """Tells how far ``total`` steps have come.

    Args:
        what: what is being done, e.g. ``generate support``.
        total: how many steps there are.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        what: str,
        total: int,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._what, self._total, self._clock = what, total, clock
        self._stream = stream if stream is not None else sys.stderr
        self._moving = self._stream.isatty()
        self._every = 0.1 if self._moving else EVERY_S
        self._started = self._last = clock()
        self.done = 0

    def step(self, note: str = "") -> None:
        """Count one step, and tell it when it is time."""
        self.done += 1
        now = self._clock()
        if now - self._last >= self._every:
            self._last = now
            self._tell(now, note)

    def end(self, note: str = "") -> None:
        """Tell the last state."""
        self._tell(self._clock(), note)
        if self._moving:
            self._stream.write("\n")

    def _tell(self, now: float, note: str) -> None:
        passed = now - self._started
        rate = self.done / passed if passed > 0 else 0.0
        left = (
            f", {(self._total - self.done) / rate:.0f} s left" if 0 < self.done < self._total and rate else ""
        )
        line = f"{self._what}: {self.done}/{self._total}, {rate:.0f}/s{left}{f', {note}' if note else ''}"
        self._stream.write(f"\r\x1b[K{line}" if self._moving else f"{line}\n")
        self._stream.flush()
