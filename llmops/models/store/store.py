"""The response store: replies by their key, on disk, for several processes at once."""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, suppress
from pathlib import Path
from time import monotonic, time
from typing import NamedTuple

from llmops.errors import UserError
from llmops.models.store.checkpoints import Checkpoints
from llmops.models.store.claims import Claims, Sleep
from llmops.models.store.file import BUSY_S, connect, explained, is_busy
from llmops.models.store.rows import (
    PUT,
    PUT_REQUEST,
    PUT_USED,
    AnswerRow,
    answer_row,
    get_many,
    pack,
    reply_of,
)
from llmops.places import STORE as STORE
from llmops.replies import Reply

SCHEME = "sqlite:///"
DAY_S = 86_400
PAUSE_S = 0.003
"""Seconds between looks whether another process has written what it writes, which takes less."""


class _Put(NamedTuple):
    row: AnswerRow
    request: str | None
    kept: asyncio.Future[Reply]
    since_s: float


class Store:
    """An open response store; made by ``open_store``.

    Puts of the same moment share a commit. A commit is a write to the log that the system holds, so that
    the end of this process, however it comes, loses nothing; the disk follows in a thread
    (``Checkpoints``).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._claims = Claims(path.with_name(f"{path.name}.claims"))  # first: a repair is over then
        try:
            self._connection = connect(path)
        except BaseException:
            self._claims.close()
            raise
        self._wait_s(0.0)
        self._checkpoints = Checkpoints(path)
        self._waiting: list[_Put] = []
        self._keeping: asyncio.Task[None] | None = None
        self._shared: dict[str, tuple[int, bytes]] = {}
        self._used: set[str] = set()

    def get(self, key: str) -> Reply | None:
        """Return the kept reply, None when there is none.

        Raises:
            UserError: the file cannot be read, or the answer is damaged.
        """
        return self.get_many([key]).get(key)

    def get_many(self, keys: Sequence[str]) -> dict[str, Reply]:
        """Return key → reply of those that are kept, looked up at once; some hundred keys at most.

        Raises:
            UserError: as ``get``.
        """
        with explained(self.path):
            rows = self._connection.execute(get_many(len(keys)), keys).fetchall()
        found = {row[0]: self._reply(AnswerRow(*row)) for row in rows}
        self._used.update(found)
        return found

    async def put(self, key: str, model: str, reply: Reply, request: str | None = None) -> Reply:
        """Keep a reply, whatever becomes of this process, and return what is kept.

        That is another process's when it came first, and the very Reply that a hit will be.

        Args:
            request: the canonical request that the key is the hash of, to be shown later.

        Raises:
            Unkeepable: the reply holds what JSON cannot.
            UserError: the disk is full or cannot be written.
        """
        kept = asyncio.get_running_loop().create_future()
        self._waiting.append(_Put(answer_row(key, model, reply), request, kept, monotonic()))
        if self._keeping is None or self._keeping.done():
            self._keeping = asyncio.create_task(self._keep())
        found: Reply = await kept
        return found

    def claim(
        self, key: str, everywhere: bool = True, sleep: Sleep = asyncio.sleep
    ) -> AbstractAsyncContextManager[None]:
        """Return the hold on a key, so that identical requests wait, also those of other processes.

        Args:
            everywhere: False for this process alone.
            sleep: what waits for other processes; what it raises ends the wait.
        """
        return self._claims.claim(key, everywhere, sleep)

    def close(self) -> None:
        """Keep what is still waiting, on the disk too, then close the file.

        Raises:
            UserError: what waited could not be kept.
        """
        with ExitStack() as closing:
            for each in (self._claims, self._connection, self._checkpoints):
                closing.callback(each.close)
            self._wait_s(BUSY_S)
            if self._waiting:
                self._kept_all()
            self._note_used()

    def _wait_s(self, seconds: float) -> None:
        """Set how long SQLite waits for another process's write, which holds up the loop meanwhile."""
        self._connection.execute(f"PRAGMA busy_timeout = {1000 * seconds:.0f}")

    async def _keep(self) -> None:
        """Commit what came in the same moment."""
        with suppress(UserError):  # which the puts are told
            while not self._kept_all():
                await asyncio.sleep(PAUSE_S)

    def _kept_all(self) -> bool:
        """Commit all that waits at once; False while another process writes.

        Raises:
            UserError: it cannot be kept, which each put that waits is told.
        """
        try:
            with explained(self.path):
                if not self._begun():
                    return False
                kept = self._commit(self._waiting)
        except UserError as problem:
            for put in self._taken():
                put.kept.set_exception(problem)
            raise
        for put in self._taken():
            put.kept.set_result(kept[put.row.key])
        self._checkpoints.due()
        return True

    def _begun(self) -> bool:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as problem:
            if not is_busy(problem) or monotonic() - self._waiting[0].since_s > BUSY_S:
                raise
            return False
        return True

    def _taken(self) -> list[_Put]:
        """Return the puts that still wait to hear, and none is left to be kept."""
        taken, self._waiting = self._waiting, []
        return [put for put in taken if not put.kept.done()]

    def _commit(self, batch: list[_Put]) -> dict[str, Reply]:
        try:
            new = self._connection.executemany(PUT, [put.row for put in batch]).rowcount
            packed = [
                (p.row.key, *self._packed(p.row.model, p.request)) for p in batch if p.request is not None
            ]
            self._connection.executemany(PUT_REQUEST, packed)
            rows = [put.row if new == len(batch) else self._row(put.row.key) for put in batch]
            self._connection.execute("COMMIT")
        except BaseException:
            self._shared.clear()  # what was shared in this commit is not there
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            raise
        return {row.key: self._reply(row) for row in rows}

    def _packed(self, model: str, request: str) -> tuple[int, bytes]:
        """Return the request squeezed by a text that the model's requests share, and that text's id."""
        if model not in self._shared:
            self._shared[model] = self._shared_for(model, request)
        number, text = self._shared[model]
        return number, pack(request, text)

    def _shared_for(self, model: str, request: str) -> tuple[int, bytes]:
        """Return the newest shared text of a model; this request where there is none like it."""
        newest = "SELECT id, text FROM shared WHERE model = ? ORDER BY id DESC LIMIT 1"
        known = self._connection.execute(newest, (model,)).fetchone()
        text = request.encode("utf-8", "surrogatepass")
        if known is not None and len(pack(request, known[1])) < len(text) / 3:
            return int(known[0]), known[1]
        made = self._connection.execute("INSERT INTO shared (model, text) VALUES (?, ?)", (model, text))
        return int(made.lastrowid or 0), text

    def _row(self, key: str) -> AnswerRow:
        return AnswerRow(*self._connection.execute(get_many(1), (key,)).fetchone())

    def _reply(self, row: AnswerRow) -> Reply:
        try:
            return reply_of(row)
        except ValueError as problem:
            raise UserError(f"{self.path}: the answer {row.key} cannot be read: {problem}") from None

    def _note_used(self) -> None:
        """Write down what was given today: once a run, and nothing where it stands there already."""
        today = int(time() // DAY_S)
        with suppress(sqlite3.Error):  # a hint for `prune`, not worth a run
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(PUT_USED, ((key, today) for key in sorted(self._used)))
            self._connection.execute("COMMIT")


def open_store(url: str) -> Store:
    """Return the store at ``sqlite:///<path>``, made when it is not there.

    Raises:
        UserError: another scheme, a file that is no store, or a disk that cannot be written.
    """
    if not url.startswith(SCHEME):
        raise UserError(f"store: {url!r} is no address of a store; it must start with {SCHEME!r}")
    path = Path(url.removeprefix(SCHEME))
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        return Store(path)
