"""The response store's file: opened, brought to this version, and its faults put in words."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import uniform
from time import monotonic, sleep

from llmops.errors import UserError
from llmops.models.store.rows import MEND, TABLES, checksum_of_old

VERSION = 2
"""Of the tables' shape, in the file's ``user_version``."""
BUSY_S = 60.0
"""Seconds to wait for another process's write."""
ALONE_S = 10.0
"""Seconds to wait for the other processes that hold the file open to end."""

_SAFE = "nothing that was stored is lost"


class InUse(UserError):
    """Other processes hold the file open."""


def connect(path: Path) -> sqlite3.Connection:
    """Return a connection to a store of this version, made or migrated where it is not.

    Raises:
        UserError: a store of a later version, or other processes hold one of an earlier version open.
        sqlite3.Error: see ``explained``.
    """
    gives_up_at = monotonic() + ALONE_S
    while True:
        connection = _opened(path)
        try:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version > VERSION:
                raise UserError(
                    f"{path}: is a store of version {version}; this llmops reads version {VERSION}"
                )
            if version == VERSION or _prepared(connection, version):
                _use_wal(connection)
                connection.execute("PRAGMA synchronous = NORMAL")
                return connection
        except BaseException:
            connection.close()
            raise
        connection.close()  # so that of several that wait to migrate one gets its turn
        if monotonic() > gives_up_at:
            raise InUse(f"{path}: another llmops of an earlier version has it open; let it end and run again")
        sleep(uniform(0.01, 0.1))


def alone(connection: sqlite3.Connection) -> bool:
    """Return whether no other process has the file open; if so the write-ahead log is folded in."""
    try:
        connection.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.OperationalError as problem:
        if not is_busy(problem):
            raise
        return False
    return True


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)


def _prepared(connection: sqlite3.Connection, version: int) -> bool:
    """Make the tables, in an older file beside those that it has; False while others have it open.

    An earlier llmops that has the file open could not write its answers into the new shape.
    """
    if version and not alone(connection):
        return False
    connection.execute("BEGIN IMMEDIATE")
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == 1:
            _add_checksums(connection)
        for table in TABLES:
            connection.execute(table)
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
    return True


def _add_checksums(connection: sqlite3.Connection) -> None:
    connection.create_function("checksum_of", 4, checksum_of_old, deterministic=True)
    connection.execute("ALTER TABLE answers ADD COLUMN checksum INTEGER")
    connection.execute("UPDATE answers SET checksum = checksum_of(key, asked_at, model, reply)")


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to the write-ahead log; SQLite does not wait by itself when others switch just now."""
    gives_up_at = monotonic() + BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as problem:
            if not is_busy(problem) or monotonic() > gives_up_at:
                raise
            sleep(0.01)


def is_busy(problem: sqlite3.OperationalError) -> bool:
    """Return whether another process is in the way just now."""
    return problem.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what goes wrong with the file into what the user can mend."""
    try:
        yield
    except sqlite3.Error as problem:
        raise UserError(f"{path}: {_what(getattr(problem, 'sqlite_errorcode', 0))} ({problem})") from None
    except OSError as problem:
        code = sqlite3.SQLITE_FULL if problem.errno == errno.ENOSPC else sqlite3.SQLITE_CANTOPEN
        raise UserError(f"{path}: {_what(code)} ({problem.strerror})") from None


def _what(code: int) -> str:
    return {
        sqlite3.SQLITE_FULL: f"the disk is full; make room and run again, {_SAFE}",
        sqlite3.SQLITE_BUSY: f"another process held the store for {BUSY_S:g} s; end it, {_SAFE}",
        sqlite3.SQLITE_NOTADB: "is no response store; move it away",
        sqlite3.SQLITE_CORRUPT: f"the store is damaged; {MEND}",
    }.get(code & 0xFF, f"the store cannot be read or written; mend the disk or its rights, {_SAFE}")
