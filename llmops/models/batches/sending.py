"""Sends requests as batches, each at most once whenever the process ends."""

from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime

from msgspec.structs import replace

from llmops.models.batches.batch import Batch, Batches
from llmops.models.batches.journal import Entry, Journal
from llmops.models.batches.rows import Line, shares


async def send(
    batches: Batches, journal: Journal, lines: Iterable[Line]
) -> AsyncIterator[tuple[Entry, Batch]]:
    """Send the lines in as many batches as they need, and yield each when it is sent.

    To be called while the journal is held alone. What each step is going to do is written before
    it is done, so that ``recover`` can tell how far it came.
    """
    for share in shares(lines, batches.max_requests, batches.max_bytes):
        entry = journal.planned([line.key for line in share])
        file_id = await batches.upload(_file_name(entry), b"".join(line.content for line in share))
        asked_at = datetime.now(UTC).isoformat(timespec="milliseconds")
        entry = journal.write(replace(entry, file_id=file_id, asked_at=asked_at))
        batch = await batches.create(file_id, entry.tag)
        yield journal.write(replace(entry, batch_id=batch.id)), batch


async def recover(batches: Batches, journal: Journal) -> None:
    """Find out what became of batches that a process ended in the middle of sending.

    To be called while the journal is held alone. One that the provider has is taken up; of one that
    it does not have nothing is owed, so its requests can be sent anew. Its file is deleted before the
    provider is asked a last time: after that, a creation that is still on its way fails.
    """
    for entry in journal.entries():
        if entry.batch_id is None:
            batch = await _found(batches, entry)
            if batch is None:
                journal.remove(entry)
            else:
                journal.write(replace(entry, batch_id=batch.id))


async def _found(batches: Batches, entry: Entry) -> Batch | None:
    if entry.file_id is None:  # only a file can be there, which costs nothing
        if (file_id := await batches.uploaded(_file_name(entry), entry.planned_at)) is not None:
            await batches.delete(file_id)
        return None
    if (batch := await batches.created(entry.tag, entry.planned_at)) is not None:
        return batch
    await batches.delete(entry.file_id)
    return await batches.created(entry.tag, entry.planned_at)


def _file_name(entry: Entry) -> str:
    return f"{entry.tag}.jsonl"
