"""The event loop that asks: what has begun is finished before anything new is looked for.

An answer takes about six rounds of the loop from its arrival to the next request: it is read, decoded, kept,
and the next question is sent. The usual loop looks for arrivals before each of these rounds. So answers that
arrive shortly after each other go through their rounds together, each as late as the last of them; their next
requests leave together, and the next answers arrive together.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

LONGEST = 12
"""Rounds without a look at what arrived: what never waits is never finished."""


class FinishFirst(selectors.DefaultSelector):
    """A selector that finds nothing while the loop has something to do."""

    _passed = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready.

        Args:
            timeout: seconds to wait; 0 says that the loop has something to do.
        """
        if timeout == 0 and self._passed < LONGEST:
            self._passed += 1
            return []
        self._passed = 0
        return super().select(timeout)


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run the coroutine to its end, as ``asyncio.run`` does, on such a loop."""
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(FinishFirst())) as runner:
        return runner.run(main)
