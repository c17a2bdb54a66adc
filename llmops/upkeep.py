"""The response store kept whole: damage found and taken out, what is no longer used removed."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import NamedTuple

from llmops.errors import UserError
from llmops.models.store.claims import Claims
from llmops.models.store.file import InUse, connect, explained
from llmops.models.store.rows import PUT, PUT_REQUEST, AnswerRow, is_whole, unpack
from llmops.models.store.store import DAY_S
from llmops.salvage import salvaged

_ANSWERS = "SELECT key, asked_at, model, reply, checksum FROM answers"
_REQUESTS = "SELECT key, packed, text FROM requests LEFT JOIN shared ON shared.id = requests.shared"
_ROOM = """SELECT answers.key, asked_at, day,
        length(reply) + coalesce(length(packed), 0) + 2 * length(answers.key)
    FROM answers LEFT JOIN used ON used.key = answers.key LEFT JOIN requests ON requests.key = answers.key"""
_KEY_DIGITS = 64


class Condition(NamedTuple):
    """What a look at the whole store found.

    Attributes:
        answers: how many were read.
        damaged: key → what is wrong with its answer.
        requests: keys of which the request, kept to be shown, is damaged; the answer is not.
        file: what SQLite says of the file as a whole; None when it is in order.
    """

    answers: int
    damaged: dict[str, str]
    requests: list[str]
    file: str | None

    @property
    def is_whole(self) -> bool:
        """Whether nothing is damaged."""
        return not (self.damaged or self.requests or self.file)


class Mended(NamedTuple):
    """What a repair did: how many answers are kept, and where the damaged file lies if it was replaced."""

    kept: int
    aside: Path | None


class Unused(NamedTuple):
    """Answers that a pruning takes out, oldest use first, and the bytes that are left without them."""

    keys: list[str]
    bytes_left: int


def examined(path: Path) -> Condition:
    """Return the condition of a store, read row by row; nothing is changed."""
    damaged: dict[str, str] = {}
    requests: list[str] = []
    answers = 0
    try:
        with closing(connect(path)) as store:
            said = [line for (line,) in store.execute("PRAGMA integrity_check")]
            for row in store.execute(_ANSWERS):
                answers += 1
                if why := _damage(AnswerRow(*row)):
                    damaged[str(row[0])] = why
            requests = [
                str(key) for key, packed, text in store.execute(_REQUESTS) if not _fits(key, packed, text)
            ]
    except sqlite3.DatabaseError as problem:
        _raise_if_not_damage(path, problem)
        return Condition(answers, damaged, requests, str(problem))
    return Condition(answers, damaged, requests, None if said == ["ok"] else "; ".join(said[:3]))


def repaired(path: Path, found: Condition) -> Mended:
    """Take out what is damaged, so that it is asked anew; a file that SQLite refuses is made anew.

    Raises:
        InUse: the file must be made anew, and another process has it open.
        UserError: nothing in the file can be read.
    """
    if found.file is not None:
        return _made_anew(path)
    with explained(path), closing(connect(path)) as store:
        with _transaction(store):
            for table, keys in (("answers", found.damaged), ("requests", [*found.damaged, *found.requests])):
                store.executemany(f"DELETE FROM {table} WHERE key = ?", [(key,) for key in keys])  # noqa: S608
        return Mended(found.answers - len(found.damaged), None)


def unused(path: Path, most_bytes: int | None, older_than_days: float | None, now: float) -> Unused:
    """Return what a pruning takes out.

    Args:
        most_bytes: the file's size afterwards, by the room that each answer takes in it.
        older_than_days: answers that were neither asked nor given for so long.
        now: seconds since 1970.
    """
    with explained(path), closing(connect(path)) as store:
        rows = sorted(
            (_last_use(asked_at, day), key, room) for key, asked_at, day, room in store.execute(_ROOM)
        )
        total, file_bytes = sum(room for _, _, room in rows), _file_bytes(store)
    scale = file_bytes / total if total else 0.0
    keys, left = [], float(file_bytes)
    for last_use, key, room in rows:
        old = older_than_days is not None and last_use < now - older_than_days * DAY_S
        if not old and (most_bytes is None or left <= most_bytes):
            break
        keys.append(key)
        left -= room * scale
    return Unused(keys, round(left))


def removed(path: Path, keys: list[str]) -> None:
    """Take answers out, and give their room back to the disk unless other processes hold the file."""
    with explained(path), closing(connect(path)) as store:
        with _transaction(store):
            for table in ("answers", "requests", "used"):
                store.executemany(f"DELETE FROM {table} WHERE key = ?", [(key,) for key in keys])  # noqa: S608
        with suppress(sqlite3.OperationalError):
            store.execute("VACUUM")
            store.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _damage(row: AnswerRow) -> str | None:
    """Return what is wrong; an answer of another version is whole, and not this one's to judge."""
    try:
        return None if is_whole(row) else "its checksum is another"
    except (TypeError, AttributeError) as problem:
        return f"a column is of another type ({problem})"


def _fits(key: str, packed: bytes, shared: bytes | None) -> bool:
    try:
        unpack(key, packed, shared or b"")
    except (ValueError, TypeError):
        return False
    return True


def _raise_if_not_damage(path: Path, problem: sqlite3.DatabaseError) -> None:
    damage = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}
    if getattr(problem, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF not in damage:
        with explained(path):
            raise problem


def _made_anew(path: Path) -> Mended:
    """Write what can be read into a new file, and put it in the place of the damaged one, which stays."""
    with closing(Claims(_claims_file(path))) as claims:
        if not claims.is_alone():
            raise InUse(f"{path}: another process has it open; let it end and run again")
        fresh = path.with_name(f"{path.name}.part")
        fresh.unlink(missing_ok=True)
        kept = _salvage(path, fresh)
        if not kept:
            fresh.unlink()
            raise UserError(f"{path}: no answer can be read from it; move it away")
        names = (path.with_name(f"{path.name}.damaged-{number}") for number in count(1))
        aside = next(name for name in names if not name.exists())
        try:
            os.link(path, aside)
        except OSError:  # a disk without links
            shutil.copyfile(path, aside)
        for ending in ("-wal", "-shm"):  # SQLite would play the old log into the new file
            with suppress(FileNotFoundError):
                path.with_name(path.name + ending).replace(aside.with_name(aside.name + ending))
        fresh.replace(path)
    return Mended(kept, aside)


def _salvage(path: Path, fresh: Path) -> int:
    with explained(fresh), closing(connect(fresh)) as store, _transaction(store):
        for rowid, row in salvaged(path):
            match (rowid, *row):
                case (None, str(), str() | None, str(), bytes(), int()) if is_whole(AnswerRow(*row)):
                    store.execute(PUT, row)
                case (None, str(key), int(), bytes()) if len(key) == _KEY_DIGITS:
                    store.execute(PUT_REQUEST, row)
                case (int(), None, str(), bytes()):
                    store.execute("INSERT OR IGNORE INTO shared VALUES (?, ?, ?)", (rowid, *row[1:]))
        lost = [key for key, packed, text in store.execute(_REQUESTS) if not _fits(key, packed, text)]
        store.executemany("DELETE FROM requests WHERE key = ?", [(key,) for key in lost])
        (kept,) = store.execute("SELECT count(*) FROM answers").fetchone()
    return int(kept)


def _claims_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.claims")


def _last_use(asked_at: str | None, day: int | None) -> float:
    """Return seconds since 1970 of the last time that an answer was asked or given."""
    asked = datetime.fromisoformat(asked_at).timestamp() if asked_at else 0.0
    return max(asked, (day or 0) * float(DAY_S))


def _file_bytes(store: sqlite3.Connection) -> int:
    (pages,), (size,) = (store.execute(f"PRAGMA {word}").fetchone() for word in ("page_count", "page_size"))
    return int(pages * size)


@contextmanager
def _transaction(store: sqlite3.Connection) -> Iterator[None]:
    store.execute("BEGIN IMMEDIATE")
    try:
        yield
        store.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            store.execute("ROLLBACK")
        raise
