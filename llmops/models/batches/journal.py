"""What was sent in batches, on disk before it is sent, so that no end of a process loses it."""

import asyncio
import os
import secrets
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from llmops.errors import UserError
from llmops.record import Record

ASKS_AGAIN_S = 0.1
"""Seconds between two tries to be alone."""


class Entry(Record):
    """One batch: planned, then uploaded and about to be created, then sent."""

    tag: str
    """Ours: names the uploaded file, and stands in the batch's metadata, so that both can be found."""
    keys: list[str]
    """The store's keys of its requests."""
    planned_at: datetime
    file_id: str | None = None
    """Written with ``asked_at``, before the batch is created."""
    asked_at: str | None = None
    """ISO 8601, UTC: when the provider was asked to create it."""
    batch_id: str | None = None


class Journal:
    """The open batches of one model, one JSON file each; a collected one is taken out.

    Args:
        folder: where the files lie, made when it is not there.
        owner: word that the names of this model's files start with.
    """

    def __init__(self, folder: Path, owner: str) -> None:
        self._folder, self._owner = folder, owner

    def planned(self, keys: list[str]) -> Entry:
        """Write that a batch of these keys is to be sent, and return the entry."""
        tag = f"llmops-{self._owner}-{secrets.token_hex(8)}"
        return self.write(Entry(tag=tag, keys=keys, planned_at=datetime.now(UTC)))

    def write(self, entry: Entry) -> Entry:
        """Keep the entry durably, and return it."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self.path(entry)
        draft = path.with_suffix(".part")
        with draft.open("wb") as file:
            file.write(msgspec.json.encode(entry))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        self._sync_folder()
        return entry

    def remove(self, entry: Entry) -> None:
        """Take out an entry of which nothing is left to fetch."""
        self.path(entry).unlink(missing_ok=True)

    def holds(self, entry: Entry) -> bool:
        """Return whether the entry is still open: another process may have collected it."""
        return self.path(entry).exists()

    def entries(self) -> list[Entry]:
        """Return the open batches, the oldest first.

        Raises:
            UserError: a file is no entry.
        """
        found = [self._read(path) for path in self._folder.glob(f"llmops-{self._owner}-*.json")]
        return sorted((entry for entry in found if entry), key=lambda entry: entry.planned_at)

    def path(self, entry: Entry) -> Path:
        """Return the entry's file."""
        return self._folder / f"{entry.tag}.json"

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Keep other processes from sending or collecting this model's batches meanwhile.

        SQLite's lock is used for it: every system has it, and it ends with its process.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        lock = sqlite3.connect(self._folder / f"{self._owner}.lock", timeout=0, isolation_level=None)
        try:
            while not _locked(lock):
                await asyncio.sleep(ASKS_AGAIN_S)
            yield
        finally:
            lock.close()

    def _read(self, path: Path) -> Entry | None:
        try:
            return msgspec.json.decode(path.read_bytes(), type=Entry)
        except FileNotFoundError:  # collected by another process just now
            return None
        except (msgspec.DecodeError, UnicodeDecodeError) as problem:
            raise UserError(
                f"{path}: is no entry of a batch ({problem}); move it away, what it sent may be paid again"
            ) from None

    def _sync_folder(self) -> None:
        if os.name == "posix":  # a rename is durable when its folder is
            number = os.open(self._folder, os.O_RDONLY)
            try:
                os.fsync(number)
            finally:
                os.close(number)


def _locked(lock: sqlite3.Connection) -> bool:
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as problem:
        if problem.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True
