"""Who asks what just now: identical requests wait for each other, in this process and in others."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from weakref import WeakValueDictionary

from llmops.errors import UserError

try:
    import fcntl
except ImportError:  # Windows: only this process's requests wait for each other
    fcntl = None  # type: ignore[assignment]

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.005, 0.25
WAIT_S = 600.0
"""Seconds to wait for another process, which may be stopped; then both ask."""
_DIGITS = 15
"""Hexadecimal digits of a key that name its byte: a file's positions end at 2⁶³."""
_SHARED, _OWN = (fcntl.LOCK_SH, fcntl.LOCK_EX) if fcntl else (None, None)
_OPEN = 2**62
"""The byte that everyone who has the store open shares."""


class Claims:
    """The keys that this process asks, each a lock on one byte of a file that stays empty.

    The system frees a process's locks when it ends, however it ends, so that there is no lease to
    run out and nothing to write. Where a disk has no locks, two processes may ask the same.
    """

    def __init__(self, path: Path) -> None:
        """Open the file beside a store; a UserError while another process repairs that."""
        self._file = path.open("a+b")
        if self._lock(_SHARED, _OPEN) is False:
            self._file.close()
            raise UserError(f"{path.with_suffix('')}: is being repaired; run again when that is done")
        self._asking: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def claim(self, key: str, everywhere: bool = True) -> AsyncIterator[None]:
        """Hold a key; who wants it too waits, in other processes as well when it is held everywhere."""
        async with self._asking.setdefault(key, asyncio.Lock()):
            place = int(key[:_DIGITS], 16)
            held = everywhere and await self._held(place)
            try:
                yield
            finally:
                if held and not self._file.closed:
                    fcntl.lockf(self._file, fcntl.LOCK_UN, 1, place)

    def is_alone(self) -> bool:
        """Return whether no other process has the store open; from then on none opens it."""
        return self._lock(_OWN, _OPEN) is not False

    def close(self) -> None:
        """Free every key."""
        self._file.close()

    async def _held(self, place: int) -> bool:
        pause_s, gives_up_at = FIRST_PAUSE_S, monotonic() + WAIT_S
        while monotonic() < gives_up_at:
            if (locked := self._lock(_OWN, place)) is not False:
                return bool(locked)
            await asyncio.sleep(pause_s)
            pause_s = min(LONGEST_PAUSE_S, 1.5 * pause_s)
        return False

    def _lock(self, how: int | None, place: int) -> bool | None:
        """Return whether a byte of the file is locked now; None where there are no locks."""
        if how is None:
            return None
        try:
            fcntl.lockf(self._file, how | fcntl.LOCK_NB, 1, place)
        except (BlockingIOError, PermissionError):
            return False
        except OSError:
            return None
        return True
