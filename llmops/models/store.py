"""The response store: replies by their key, on disk, for several processes at once."""

import asyncio
import sqlite3
import time
from collections import deque
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from llmops.errors import UserError
from llmops.models.claims import Claims
from llmops.models.store_file import connect, explained
from llmops.models.store_rows import (
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
from llmops.records import Reply

SCHEME = "sqlite:///"
DAY_S = 86_400


class _Put(NamedTuple):
    key: str
    model: str
    reply: Reply
    request: str | None
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
        self._reader = connect(path)
        self._writer = connect(path)
        self._one_writer = Lock()  # a cancelled put's thread still writes while the store is closed
        self._waiting: deque[_Put] = deque()
        self._writing: asyncio.Task[None] | None = None
        self._claims = Claims(path.with_name(f"{path.name}.claims"))
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
            rows = self._reader.execute(get_many(len(keys)), keys).fetchall()
        found = {row[0]: self._reply(row) for row in rows}
        self._used.update(found)
        return found

    async def put(self, key: str, model: str, reply: Reply, request: str | None = None) -> Reply:
        """Keep a reply durably, and return what is kept: another process's when that came first.

        Args:
            request: the canonical request that the key is the hash of, to be shown later.

        Raises:
            UserError: the disk is full or cannot be written.
        """
        put = _Put(key, model, reply, request, asyncio.get_running_loop().create_future())
        self._waiting.append(put)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all())
        return await put.kept

    def claim(self, key: str, everywhere: bool = True) -> AbstractAsyncContextManager[None]:
        """Return the hold on a key, so that identical requests wait, also those of other processes.

        Args:
            everywhere: False for this process alone.
        """
        return self._claims.claim(key, everywhere)

    def close(self) -> None:
        """Keep what is still waiting, then close the file.

        Raises:
            UserError: what waited could not be kept.
        """
        written = self._write()
        with self._one_writer:
            self._note_used()
            self._writer.close()
            self._reader.close()
            self._claims.close()
        if written.problem:
            raise written.problem

    async def _write_all(self) -> None:
        while self._waiting:
            await asyncio.sleep(0)  # what comes in the same round of the loop shares the commit
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
        with explained(self.path):
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                self._writer.executemany(PUT, [answer_row(put.key, put.model, put.reply) for put in batch])
                packed = [(p.key, *self._packed(p.model, p.request)) for p in batch if p.request is not None]
                self._writer.executemany(PUT_REQUEST, packed)
                kept = {put.key: self._kept(put.key) for put in batch}
                self._writer.execute("COMMIT")
            except BaseException:
                self._shared.clear()  # what was shared in this commit is not there
                with suppress(sqlite3.Error):
                    self._writer.execute("ROLLBACK")
                raise
        return kept

    def _packed(self, model: str, request: str) -> tuple[int, bytes]:
        """Return the request squeezed by a text that the model's requests share, and that text's id."""
        if model not in self._shared:
            self._shared[model] = self._shared_for(model, request)
        number, text = self._shared[model]
        return number, pack(request, text)

    def _shared_for(self, model: str, request: str) -> tuple[int, bytes]:
        """Return the newest shared text of a model; this request where there is none like it."""
        newest = "SELECT id, text FROM shared WHERE model = ? ORDER BY id DESC LIMIT 1"
        known = self._writer.execute(newest, (model,)).fetchone()
        text = request.encode("utf-8", "surrogatepass")
        if known is not None and len(pack(request, known[1])) < len(text) / 3:
            return int(known[0]), known[1]
        made = self._writer.execute("INSERT INTO shared (model, text) VALUES (?, ?)", (model, text))
        return int(made.lastrowid or 0), text

    def _kept(self, key: str) -> Reply:
        return self._reply(self._writer.execute(get_many(1), (key,)).fetchone())

    def _reply(self, row: tuple[str, str | None, str, bytes, int | None]) -> Reply:
        try:
            return reply_of(AnswerRow(*row))
        except ValueError as problem:
            raise UserError(f"{self.path}: the answer {row[0]} cannot be read: {problem}") from None

    def _note_used(self) -> None:
        """Write down what was given today: once a run, and nothing where it stands there already."""
        today = int(time.time() // DAY_S)
        with suppress(sqlite3.Error):  # a hint for `prune`, not worth a run
            self._writer.execute("BEGIN IMMEDIATE")
            self._writer.executemany(PUT_USED, ((key, today) for key in sorted(self._used)))
            self._writer.execute("COMMIT")


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
