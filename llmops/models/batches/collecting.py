"""Reads the results of a finished batch: an outcome for each request that was in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from llmops.errors import WorldError
from llmops.models.batches.batch import Batch, Batches
from llmops.models.batches.rows import Outcome, Row, read_row
from llmops.replies import Request

REFUSED = "batch_refused"
"""Kind of the fault of a batch that is the user's to mend."""
FULL = frozenset({"token_limit_exceeded"})
"""Codes of a batch that was refused because others are in the queue."""


@dataclass
class Results:
    """What a batch brought, by the store's key, and what in its files was of no use."""

    batches: Batches
    sent: Mapping[str, Request | None]
    """What was in the batch: key → the request, where it is asked for now."""
    rows: dict[str, Row] = field(default_factory=dict)
    unknown: int = 0
    """Rows of requests that were not in the batch."""
    unread: list[str] = field(default_factory=list)
    """Where a line is that is no result, and why."""

    def take(self, line: bytes, where: str) -> None:
        """Take in a line of a result file; the first row of a request counts."""
        try:
            row = read_row(line, lambda key, body: self.batches.read(body, self.sent.get(key)))
        except ValueError as problem:
            self.unread.append(f"{where}: {problem}")
            return
        if row.key in self.sent:
            self.rows.setdefault(row.key, row)
        else:
            self.unknown += 1


async def read_results(batches: Batches, batch: Batch, sent: Mapping[str, Request | None]) -> Results:
    """Return a row for every request of the batch, made up where its files have none.

    Raises:
        WorldError: a file could not be fetched.
    """
    results = Results(batches, sent)
    for file_id in batch.files:
        number = 0
        async for line in batches.lines(file_id):
            number += 1
            if line.strip():
                results.take(line, f"{file_id}:{number}")
    absent = _absent(batches, batch)
    for key in sent:
        row = results.rows.get(key, Row(key, absent, billed=False))
        results.rows[key] = row._replace(outcome=_spoken(batches, row))
    return results


def _spoken(batches: Batches, row: Row) -> Outcome:
    return batches.spoken(row.outcome) if isinstance(row.outcome, WorldError) else row.outcome


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
    told = "; ".join(f"{code}: {message}" for code, message in batch.problems[:3])
    if any(code in FULL for code, _ in batch.problems):
        return WorldError("rate_limited", told, transient=True, retry_after_s=batches.poll_s)
    return WorldError(REFUSED, told or "no reason was given", transient=False)
