"""Sends what waits in batches, looks at them, and collects the finished ones."""

import asyncio
from collections.abc import Iterable, Sequence

from llmops.errors import UserError, WorldError
from llmops.models.batches.askers import Asker, Askers
from llmops.models.batches.batch import FINISHED, GONE, Batch, Batches
from llmops.models.batches.collecting import REFUSED, Results, read_results
from llmops.models.batches.journal import Entry, Journal
from llmops.models.batches.ledger import Ledger
from llmops.models.batches.rows import Line, Row, request_line
from llmops.models.batches.sending import recover, send
from llmops.models.batches.uploaded import known_requests
from llmops.models.budget import BudgetSpent
from llmops.models.meter import Meter
from llmops.models.model import Model
from llmops.models.retrying import failed, unbilled
from llmops.models.store.store import Store
from llmops.models.stored import kept
from llmops.progress import tell_aside
from llmops.replies import Reply

SENT_AGAIN_S = 10.0
"""Seconds after which what could not be sent is sent again, at most; a server may be restarting."""
UNREACHED_TIMES = 3
"""Attempts to send after which a server that never answered is taken for none."""
AT_ONCE = 1000
"""Replies that are put into the store together."""


class BatchWork:
    """The batches of one model: what is waited for goes out, what is finished comes into the store.

    Args:
        journal: what was sent, written before it is sent.
    """

    def __init__(
        self, model: Model, batches: Batches, store: Store, journal: Journal, ledger: Ledger
    ) -> None:
        self.batches = batches
        self._model, self._store, self._journal, self._ledger = model, store, journal, ledger
        self._told, self._unreached = "", 0
        self._awaited: set[str] = set()

    async def send(self, askers: Askers) -> None:
        """Send the unsent requests, but for what an open batch or the store has already."""
        keys = askers.take_unsent()
        try:
            async with self._journal.alone():
                await recover(self.batches, self._journal)
                lines = await self._lines(askers, keys)
                async for entry, batch in send(self.batches, self._journal, lines):
                    self._tell(f"{batch.id}: {len(entry.keys)} requests sent")
            self._unreached = 0
        except WorldError as fault:
            if (problem := self._met_by_every_batch(fault)) is not None:
                raise problem from None
            self._not_sent(askers, keys, fault)

    async def look(self, askers: Askers, meter: Meter) -> None:
        """Look at every open batch, and collect those that are finished.

        Args:
            meter: books what nobody asks for now.
        """
        open_batches = []
        for entry in self._journal.entries():
            if entry.batch_id is None:  # another process is just sending it
                continue
            if not askers.waiting.keys().isdisjoint(entry.keys):
                self._awaited.add(entry.batch_id)
            try:
                batch = await self.batches.look(entry.batch_id)
                if batch.state in FINISHED:
                    await self._collect(entry, batch, askers, meter)
                else:
                    open_batches.append(batch)
            except WorldError as fault:
                if not fault.transient:
                    raise self._lost(entry, fault) from None
                self._tell(f"{entry.batch_id}: {fault}; looks again")
        self._find_collected_elsewhere(askers)
        self._tell_news(_standing(open_batches))

    def tell_what_goes_on(self) -> None:
        """Tell that batches which were waited for are not lost when the work ends."""
        if ids := sorted(self._awaited):
            named = ", ".join(ids[:3]) + (f" and {len(ids) - 3} more" if len(ids) > 3 else "")
            self._tell(f"{named}: goes on at the provider; the same command collects it, nothing is lost")

    async def _lines(self, askers: Askers, keys: Iterable[str]) -> list[Line]:
        """Return the requests that are to be sent, the money of each set aside."""
        sent = {key for entry in self._journal.entries() for key in entry.keys}
        wanted = {key: askers.waiting[key] for key in keys if key in askers.waiting}
        for key in wanted.keys() & sent:
            self._ledger.owe(key, wanted[key].request, wanted[key].meter.budget)
        new = {key: asker for key, asker in wanted.items() if key not in sent}
        lines = []
        for key, asker in new.items():
            try:
                if not self._known(askers, key, asker):
                    line = self._line(key, asker)
                    await self._ledger.reserve(key, asker.request, asker.meter.budget)
                    lines.append(line)
            except (BudgetSpent, WorldError) as problem:
                askers.answer(key, problem)
        return lines

    def _known(self, askers: Askers, key: str, asker: Asker) -> bool:
        """Answer from the store, if another process collected it since it was looked for."""
        known = self._store.get(key)
        if known is not None:
            asker.meter.hit(known)
            askers.answer(key, known)
        return known is not None

    def _line(self, key: str, asker: Asker) -> Line:
        line = request_line(key, self._model.wire(asker.request))
        if len(line.content) > self.batches.max_bytes:
            said = f"the request has {len(line.content)} bytes, a batch at most {self.batches.max_bytes}"
            raise WorldError("refused", said, transient=False)
        return line

    def _met_by_every_batch(self, fault: WorldError) -> UserError | None:
        self._unreached = self._unreached + 1 if fault.kind == "unreachable" else 0
        if fault.kind == GONE:
            return self._wrong(f"has no batches ({fault}); take `mode: batch` out")
        if not fault.transient:
            return self._wrong(f"takes no batch ({fault}); mend what it names")
        if self._unreached == UNREACHED_TIMES:
            return self._wrong("nothing answers; start the server or mend base_url")
        return None

    def _not_sent(self, askers: Askers, keys: Iterable[str], fault: WorldError) -> None:
        """Give the fault to those whose batch was not sent; the others wait for theirs."""
        sent = {key for entry in self._journal.entries() if entry.batch_id for key in entry.keys}
        if fault.retry_after_s is None:
            fault.retry_after_s = min(SENT_AGAIN_S, self.batches.poll_s)
        for key in keys:
            if key not in sent and (asker := askers.waiting.get(key)):
                fault.billed = False
                self._ledger.release(key, asker.meter.budget, sent=False)
                askers.answer(key, fault)

    async def _collect(self, entry: Entry, batch: Batch, askers: Askers, meter: Meter) -> None:
        async with self._journal.alone():
            if not self._journal.holds(entry):
                return  # found at the end of this look
            requests = await known_requests(self.batches, entry, askers.requests(entry.keys))
            results = await read_results(self.batches, batch, requests)
            rows = [self._ledger.priced(row, entry.asked_at) for row in results.rows.values()]
            await self._keep(rows)
            self._journal.remove(entry)
        self._awaited.discard(batch.id)
        self._say_results(batch, results)
        for row in rows:
            asker = askers.waiting.get(row.key)
            self._ledger.book(row, asker.meter if asker else meter, requests[row.key])
        for row in rows:
            askers.answer(row.key, self._answer(batch, row))

    def _find_collected_elsewhere(self, askers: Askers) -> None:
        """Answer those whose batch another process collected: from the store, or with a fault that passes.

        That process may have done so at any moment, also between two looks, so that the only sign is
        that no entry of the journal holds the key any more.
        """
        entries = self._journal.entries()
        self._awaited.intersection_update({entry.batch_id for entry in entries if entry.batch_id})
        held = {key for entry in entries for key in entry.keys}
        for key, asker in askers.sent().items():
            if key not in held:
                self._ledger.release(key, asker.meter.budget, sent=True)
                if not self._known(askers, key, asker):
                    said = "another process collected the batch, without this answer"
                    askers.answer(key, WorldError("missing", said, transient=True))

    async def _keep(self, rows: Iterable[Row]) -> None:
        """Put into the store what belongs there, also what nobody asks for now."""
        replies = [(row.key, _reply(row)) for row in rows]
        wanted = [(key, reply) for key, reply in replies if reply and kept(reply)]
        for start in range(0, len(wanted), AT_ONCE):
            share = wanted[start : start + AT_ONCE]
            await asyncio.gather(*(self._store.put(key, self._model.name, reply) for key, reply in share))

    def _answer(self, batch: Batch, row: Row) -> Reply | Exception:
        if isinstance(row.outcome, WorldError) and row.outcome.kind == REFUSED:
            return self._wrong(f"the provider refused the batch {batch.id} ({row.outcome}); mend the model")
        return row.outcome

    def _say_results(self, batch: Batch, results: Results) -> None:
        answered = sum(isinstance(row.outcome, Reply) for row in results.rows.values())
        lines = [f"{answered} of {len(results.rows)} answers collected"]
        lines += (
            [f"{results.unknown} rows of requests that were not in it left out"] if results.unknown else []
        )
        lines += [f"no result: {where}" for where in results.unread[:3]]
        lines += [f"and {len(results.unread) - 3} lines more"] if len(results.unread) > 3 else []
        self._tell(f"{batch.id}: {'; '.join(lines)}")

    def _tell_news(self, line: str) -> None:
        if line != self._told:
            self._told = line
            if line:
                self._tell(line)

    def _tell(self, line: str) -> None:
        tell_aside(f"models.{self._model.name}: {line}")

    def _wrong(self, what: str) -> UserError:
        return UserError(f"models.{self._model.name}: {self._model.identity.get('base_url')}: {what}")

    def _lost(self, entry: Entry, fault: WorldError) -> UserError:
        return self._wrong(
            f"does not give {entry.batch_id}, sent {entry.asked_at} ({fault}); set the key that"
            f" it was sent with, or delete {self._journal.path(entry)} to pay its requests again"
        )


def _standing(batches: Sequence[Batch]) -> str:
    """Return how open batches stand, in one line.

    >>> _standing([Batch("b-1", "in_progress", 500, 120), Batch("b-2", "validating", 80)])
    'b-1 in_progress, b-2 validating: 120 of 580 answered'
    """
    if not batches:
        return ""
    states = ", ".join(f"{batch.id} {batch.state}" for batch in batches[:3])
    more = f" and {len(batches) - 3} more" if len(batches) > 3 else ""
    answered, total = sum(b.completed for b in batches), sum(b.total for b in batches)
    failed = sum(batch.failed for batch in batches)
    return f"{states}{more}: {answered} of {total} answered{f', {failed} failed' if failed else ''}"


def _reply(row: Row) -> Reply | None:
    if isinstance(row.outcome, WorldError):
        return failed(row.outcome, unbilled(row.outcome))
    return row.outcome if isinstance(row.outcome, Reply) else None
