"""The response store: replies by their key, on disk, for several processes at once."""

import asyncio
import errno
import sqlite3
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from time import monotonic, sleep
from typing import NamedTuple
from weakref import WeakValueDictionary

import msgspec

from llmops.errors import UserError
from llmops.records import Reply

SCHEME = "sqlite:///"
VERSION = 1
"""Of the table's shape, in the file's ``user_version``."""
BUSY_S = 60.0
"""Seconds to wait for another process's write."""

_TABLE = """CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, asked_at TEXT, model TEXT NOT NULL, reply BLOB NOT NULL) WITHOUT ROWID"""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Reply).decode


class _Put(NamedTuple):
    key: str
    model: str
    reply: Reply
    kept: asyncio.Future[Reply]


class _Written(NamedTuple):
    batch: list[_Put]
    kept: dict[str, Reply]
    problem: UserError | None


class Store:
    """An open response store; made by ``open_store``.

    Puts that come at the same time share one commit, so that durability costs one fsync for all.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._reader = _connect(path)
        self._writer = _connect(path)
        self._one_writer = Lock()  # a cancelled put's thread still writes while the store is closed
        self._waiting: deque[_Put] = deque()
        self._writing: asyncio.Task[None] | None = None
        self._claims: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def get(self, key: str) -> Reply | None:
        """Return the kept reply, None when there is none."""
        with _explained(self.path):
            row = self._reader.execute("SELECT reply FROM answers WHERE key = ?", (key,)).fetchone()
        return None if row is None else _decode(row[0])

    def get_many(self, keys: Sequence[str]) -> dict[str, Reply]:
        """Return key → reply of those that are kept, looked up at once; some hundred keys at most."""
        places = ",".join("?" * len(keys))
        with _explained(self.path):
            rows = self._reader.execute(f"SELECT key, reply FROM answers WHERE key IN ({places})", keys)  # noqa: S608 - marks only
            return {key: _decode(reply) for key, reply in rows}

    async def put(self, key: str, model: str, reply: Reply) -> Reply:
        """Keep a reply durably, and return what is kept: another process's when that came first.

        Raises:
            UserError: the disk is full or cannot be written.
        """
        put = _Put(key, model, reply, asyncio.get_running_loop().create_future())
        self._waiting.append(put)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all())
        return await put.kept

    def claim(self, key: str) -> asyncio.Lock:
        """Return the lock of a key, which its asker holds so that identical requests wait for it."""
        return self._claims.setdefault(key, asyncio.Lock())

    def close(self) -> None:
        """Keep what is still waiting, then close the file.

        Raises:
            UserError: what waited could not be kept.
        """
        written = self._write()
        with self._one_writer:
            self._writer.close()
            self._reader.close()
        if written.problem:
            raise written.problem

    async def _write_all(self) -> None:
        while self._waiting:
            written = await asyncio.to_thread(self._write)
            for put in written.batch:
                if not put.kept.done() and written.problem:
                    put.kept.set_exception(written.problem)
                elif not put.kept.done():
                    put.kept.set_result(written.kept[put.key])

    def _write(self) -> _Written:
        """Write all that waits in one commit.

        The batch is taken under the lock: a thread whose task was cancelled may come after ``close``,
        and must find nothing left to write.
        """
        with self._one_writer:
            batch: list[_Put] = []
            while self._waiting:
                batch.append(self._waiting.popleft())
            try:
                return _Written(batch, self._commit(batch) if batch else {}, None)
            except UserError as problem:
                return _Written(batch, {}, problem)

    def _commit(self, batch: list[_Put]) -> dict[str, Reply]:
        with _explained(self.path):
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                rows = [(put.key, put.reply.asked_at, put.model, _encode(put.reply)) for put in batch]
                self._writer.executemany("INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?)", rows)
                kept = {put.key: self._kept(put.key) for put in batch}
                self._writer.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    self._writer.execute("ROLLBACK")
                raise
        return kept

    def _kept(self, key: str) -> Reply:
        (value,) = self._writer.execute("SELECT reply FROM answers WHERE key = ?", (key,)).fetchone()
        return _decode(value)


def open_store(url: str) -> Store:
    """Return the store at ``sqlite:///<path>``, made when it is not there.

    Raises:
        UserError: another scheme, a file that is no store, or a disk that cannot be written.
    """
    if not url.startswith(SCHEME):
        raise UserError(f"store: {url!r} is no address of a store; it must start with {SCHEME!r}")
    path = Path(url.removeprefix(SCHEME))
    with _explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        return Store(path)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        _use_wal(connection)
        connection.execute("PRAGMA synchronous = FULL")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version not in {0, VERSION}:
            raise UserError(f"{path}: is a store of version {version}; this llmops reads version {VERSION}")
        connection.execute(_TABLE)
        if version == 0:
            connection.execute(f"PRAGMA user_version = {VERSION}")
    except BaseException:
        connection.close()
        raise
    return connection


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to the write-ahead log; SQLite does not wait by itself when others switch just now."""
    gives_up_at = monotonic() + BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as problem:
            if problem.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or monotonic() > gives_up_at:
                raise
            sleep(0.01)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what goes wrong with the file into what the user can mend."""
    try:
        yield
    except sqlite3.Error as problem:
        raise UserError(f"{path}: {_what(getattr(problem, 'sqlite_errorcode', 0))} ({problem})") from None
    except OSError as problem:
        code = sqlite3.SQLITE_FULL if problem.errno == errno.ENOSPC else sqlite3.SQLITE_CANTOPEN
        raise UserError(f"{path}: {_what(code)} ({problem.strerror})") from None


def _what(code: int) -> str:
    safe = "nothing that was stored is lost"
    return {
        sqlite3.SQLITE_FULL: f"the disk is full; make room and run again, {safe}",
        sqlite3.SQLITE_BUSY: f"another process held the store for {BUSY_S:g} s; end it and run again, {safe}",
        sqlite3.SQLITE_NOTADB: "is no response store; move it away",
        sqlite3.SQLITE_CORRUPT: "the store is damaged; move it away",
    }.get(code & 0xFF, f"the store cannot be read or written; mend the disk or its rights, {safe}")
