"""What a provider's batch endpoints do, as a record of functions."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from llmops.errors import UserError, WorldError
from llmops.replies import Reply, Request

Spoken = Callable[[WorldError], WorldError | UserError]
Read = Callable[[Any, Request | None], Reply]

GONE = "gone"
"""Kind of the fault of an endpoint, batch or file that the provider does not know."""
FINISHED = frozenset({"completed", "expired", "cancelled", "failed"})
"""States that a batch does not leave again."""


class Batch(NamedTuple):
    """A batch as the provider tells of it."""

    id: str
    state: str
    total: int = 0
    completed: int = 0
    failed: int = 0
    files: tuple[str, ...] = ()
    """Ids of the files that hold its results: the answers', the errors'; what there is of them."""
    problems: tuple[tuple[str, str], ...] = ()
    """(code, message) of each reason why it failed as a whole."""


@dataclass(frozen=True)
class Batches:
    """The batch endpoints of one model's provider; each raises WorldError or UserError.

    What the provider does not know is a WorldError of the kind ``gone``.

    Attributes:
        upload: (file name, JSON lines) → file id. It costs nothing.
        uploaded: (file name, no older than) → file id, None when there is no such file.
        create: (file id, tag) → the batch, from now on paid for; the tag goes into its metadata.
        created: (tag, no older than) → the batch that carries the tag, None when there is none.
        look: batch id → the batch as it is now.
        lines: file id → the lines of its content.
        delete: file id → nothing; a file that is gone already is no error.
        read: (a result's body, the request if it is known) → the Reply.
        spoken: a fault that a result tells → what its asker is to get, without a secret in it.
        max_requests: the most requests that one batch takes.
        max_bytes: the most bytes that its file may have.
        poll_s: seconds between two looks at a batch, at most; the first come sooner.
    """

    upload: Callable[[str, bytes], Awaitable[str]]
    uploaded: Callable[[str, datetime], Awaitable[str | None]]
    create: Callable[[str, str], Awaitable[Batch]]
    created: Callable[[str, datetime], Awaitable[Batch | None]]
    look: Callable[[str], Awaitable[Batch]]
    lines: Callable[[str], AsyncIterator[bytes]]
    delete: Callable[[str], Awaitable[None]]
    read: Read
    spoken: Spoken
    max_requests: int
    max_bytes: int
    poll_s: float
