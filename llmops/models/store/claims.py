"""Who asks what just now: identical requests wait for each other, in this process and in others."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from weakref import WeakValueDictionary

from llmops.errors import UserError
from llmops.progress import tell_aside

try:
    import fcntl
except ImportError:  # Windows: only this process's requests wait for each other
    fcntl = None  # type: ignore[assignment]

Sleep = Callable[[float], Awaitable[object]]

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.005, 0.25
TOLD_AFTER_S = 30.0
"""Seconds of waiting for another process after which that is told, once."""
_DIGITS = 15
"""Hexadecimal digits of a key that name its byte: a file's positions end at 2⁶³."""
_SHARED, _OWN = (fcntl.LOCK_SH, fcntl.LOCK_EX) if fcntl else (None, None)
_OPEN = 2**62
"""The byte that everyone who has the store open shares."""


class Claims:
    """The keys that this process asks, each a lock on one byte of a file that stays empty.

    The system frees a process's locks when it ends, however it ends, so that there is no lease to
    run out and nothing to write: what is held is asked just now, however long that takes, and is
    waited for. Where a disk has no locks, two processes may ask the same.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = monotonic) -> None:
        """Open the file beside a store; a UserError while another process repairs that."""
        self._file = path.open("a+b")
        if self._lock(_SHARED, _OPEN) is False:
            self._file.close()
            raise UserError(f"{path.with_suffix('')}: is being repaired; run again when that is done")
        self._store, self._clock, self._told = path.with_suffix(""), clock, False
        self._asking: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def claim(
        self, key: str, everywhere: bool = True, sleep: Sleep = asyncio.sleep
    ) -> AsyncIterator[None]:
        """Hold a key; who wants it too waits, in other processes as well when it is held everywhere.

        Args:
            sleep: what waits for other processes; what it raises ends the wait.
        """
        async with self._asking.setdefault(key, asyncio.Lock()):
            place = int(key[:_DIGITS], 16)
            held = everywhere and await self._held(place, sleep)
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

    async def _held(self, place: int, sleep: Sleep) -> bool:
        pause_s, since_s = FIRST_PAUSE_S, self._clock()
        while (locked := self._lock(_OWN, place)) is False:
            if self._clock() - since_s >= TOLD_AFTER_S:
                self._tell()
            await sleep(pause_s)
            pause_s = min(LONGEST_PAUSE_S, 1.5 * pause_s)
        return bool(locked)

    def _tell(self) -> None:
        if not self._told:
            self._told = True
            tell_aside(
                f"{self._store}: waits for answers that another process asks for just now, or for its end"
            )

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
