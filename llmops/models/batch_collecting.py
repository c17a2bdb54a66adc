"""Reads the results of a finished batch: an outcome for each request that was in it."""

from collections.abc import Collection
from dataclasses import dataclass, field

from llmops.errors import WorldError
from llmops.models.batch_rows import Row, read_row
from llmops.models.batches import Batch, Batches, Spoken

REFUSED = "batch_refused"
"""Kind of the fault of a batch that is the user's to mend."""
FULL = frozenset({"token_limit_exceeded"})
"""Codes of a batch that was refused because others are in the queue."""


@dataclass
class Results:
    """What a batch brought, by the store's key, and what in its files was of no use."""

    rows: dict[str, Row] = field(default_factory=dict)
    unknown: int = 0
    """Rows of requests that were not in the batch."""
    unread: list[str] = field(default_factory=list)
    """Where a line is that is no result, and why."""


async def read_results(batches: Batches, batch: Batch, keys: Collection[str]) -> Results:
    """Return a row for every key of the batch, made up where its files have none.

    Raises:
        WorldError: a file could not be fetched.
    """
    results, sent = Results(), frozenset(keys)
    for file_id in batch.files:
        number = 0
        async for line in batches.lines(file_id):
            number += 1
            if line.strip():
                _read(results, sent, line, f"{file_id}:{number}", batches.spoken)
    absent = batches.spoken(_absent(batches, batch))
    for key in keys:
        results.rows.setdefault(key, Row(key, absent, billed=False))
    return results


def _read(results: Results, sent: frozenset[str], line: bytes, where: str, spoken: Spoken) -> None:
    try:
        row = read_row(line)
    except ValueError as problem:
        results.unread.append(f"{where}: {problem}")
        return
    if row.key in sent:
        outcome = spoken(row.outcome) if isinstance(row.outcome, WorldError) else row.outcome
        results.rows.setdefault(row.key, row._replace(outcome=outcome))
    else:
        results.unknown += 1


def _absent(batches: Batches, batch: Batch) -> WorldError:
    """Return the fault of a request without a row."""
    match batch.state:
        case "failed":
            return _refused(batches, batch)
        case "expired":
            return WorldError("expired", "the batch expired before it was answered", transient=True)
        case "cancelled":
            return WorldError("cancelled", "the batch was cancelled before it was answered", transient=False)
    return WorldError("missing", "the batch's results have no row for it", transient=True)


def _refused(batches: Batches, batch: Batch) -> WorldError:
    """Return the fault of a batch that the provider refused as a whole; nothing of it is owed."""
    told = "; ".join(f"{code}: {' '.join(message.split())[:300]}" for code, message in batch.problems[:3])
    if any(code in FULL for code, _ in batch.problems):
        return WorldError("rate_limited", told, transient=True, retry_after_s=batches.poll_s)
    return WorldError(REFUSED, told or "no reason was given", transient=False)
