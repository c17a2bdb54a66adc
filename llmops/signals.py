"""What a first and a second signal to end do to work that runs in this process."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

ENDING = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def on_signals(first: Callable[[], None]) -> Iterator[None]:
    """Call ``first`` at the first SIGINT or SIGTERM, cancel this task at the second; a third is as ever.

    A signal that is ignored stays so, and outside of the main thread nothing changes, since Python
    allows no handler there.
    """
    task = asyncio.current_task()
    if threading.current_thread() is not threading.main_thread() or task is None:
        yield
        return
    left: list[Callable[[], object]] = [first, task.cancel]
    before = {each: signal.getsignal(each) for each in ENDING}

    def received(number: int, frame: Any) -> None:
        task.get_loop().call_soon_threadsafe(left.pop(0))  # wakes the loop, which a handler does not
        if not left:
            _restore(before)

    for each, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(each, received)
    try:
        yield
    finally:
        _restore(before)


def _restore(handlers: dict[signal.Signals, Any]) -> None:
    for each, handler in handlers.items():
        signal.signal(each, handler)
