"""Has the disk hold what the store's log holds, in a thread, so that no answer waits for the disk."""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from threading import Event, Thread
from time import sleep

from llmops.models.store.file import connect, explained

EVERY_S = 0.25
"""Seconds of answers that a power cut can take; the end of a process takes none."""
PAUSE_S = 0.01
"""Seconds between looks whether another process has ended its checkpoint."""


class Checkpoints:
    """Checkpoints of the store at ``path`` while answers come, and one at the end.

    A commit to the write-ahead log is with the system, not yet with the disk. A checkpoint syncs the
    log, and then folds it into the file (SQLite's ``synchronous = NORMAL``).
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._due, self._ended = Event(), Event()
        self._thread: Thread | None = None

    def due(self) -> None:
        """Have what was committed until now on the disk soon."""
        self._due.set()
        if self._thread is None:
            self._thread = Thread(target=self._go_on, name="checkpoints", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Have all on the disk that was committed.

        Raises:
            UserError: the disk does not take it.
        """
        if self._thread is None:
            return
        self._ended.set()
        self._due.set()
        self._thread.join()
        with explained(self._path), closing(connect(self._path)) as store:
            while not _folded(store):
                sleep(PAUSE_S)

    def _go_on(self) -> None:
        with closing(connect(self._path)) as store:
            while self._due.wait():
                self._due.clear()  # before the look at the end, which `close` sets first
                if self._ended.wait(EVERY_S):
                    return
                with suppress(sqlite3.Error):  # a full disk is told by the next commit, or by `close`
                    if not _folded(store):
                        self._due.set()


def _folded(store: sqlite3.Connection) -> bool:
    """Sync the log and fold it into the file; False while another process does so."""
    busy, _, _ = store.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return not busy
