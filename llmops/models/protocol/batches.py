"""The batch endpoints of the OpenAI protocol: files, batches, and their results."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import httpx2
import openai
from openai.types import Batch as Told

from llmops.errors import UserError, WorldError
from llmops.models.batches.batch import GONE, Batch, Batches, Read
from llmops.models.batches.rows import ENDPOINT
from llmops.models.specs import BatchSpec

TAG = "llmops"
"""Key of our tag in a batch's metadata."""
CLOCKS_DIFFER = timedelta(hours=1)
"""How far the provider's clock and ours may lie apart when old entries of a listing are left out."""

Spoken = Callable[[WorldError | openai.APIError | httpx2.HTTPError], WorldError | UserError]


def open_batches(client: openai.AsyncOpenAI, spec: BatchSpec, read: Read, spoken: Spoken) -> Batches:
    """Return the endpoints behind ``client``.

    Args:
        read: reads a completion.
        spoken: turns what the client raised or a result tells into what our callers expect.
    """
    at = _Endpoints(client, spoken)
    return Batches(
        at.upload, at.uploaded, at.create, at.created, at.look, at.lines, at.delete, read, spoken,
        spec.max_requests, spec.max_bytes, spec.poll_s,
    )  # fmt: skip


class _Endpoints(NamedTuple):
    client: openai.AsyncOpenAI
    spoken: Spoken

    async def upload(self, name: str, content: bytes) -> str:
        with _faults(self.spoken):
            return (await self.client.files.create(file=(name, content), purpose="batch")).id

    async def uploaded(self, name: str, since: datetime) -> str | None:
        with _faults(self.spoken):
            return await _file_named(self.client, name, since - CLOCKS_DIFFER)

    async def create(self, file_id: str, tag: str) -> Batch:
        with _faults(self.spoken):
            told = await self.client.batches.create(
                input_file_id=file_id,
                endpoint=ENDPOINT,
                completion_window="24h",
                metadata={TAG: tag},
            )
            return _batch(told)

    async def created(self, tag: str, since: datetime) -> Batch | None:
        with _faults(self.spoken):
            return await _batch_tagged(self.client, tag, since - CLOCKS_DIFFER)

    async def look(self, batch_id: str) -> Batch:
        with _faults(self.spoken):
            return _batch(await self.client.batches.retrieve(batch_id))

    async def lines(self, file_id: str) -> AsyncIterator[bytes]:
        with _faults(self.spoken):
            async for line in _lines(self.client, file_id):
                yield line

    async def delete(self, file_id: str) -> None:
        with _faults(self.spoken), suppress(openai.NotFoundError):
            await self.client.files.delete(file_id)


@contextmanager
def _faults(spoken: Spoken) -> Iterator[None]:
    try:
        yield
    except openai.NotFoundError as problem:
        fault = spoken(WorldError(GONE, problem.message, transient=False))
        raise fault from None
    except (openai.APIError, httpx2.HTTPError) as problem:
        raise spoken(problem) from None
    except (TypeError, ValueError, AttributeError) as problem:  # the client does not check what it gets
        said = f"the server's reply is no batch, file or list of them ({problem})"
        raise spoken(WorldError("bad_reply", said, transient=True)) from None


async def _file_named(client: openai.AsyncOpenAI, name: str, oldest: datetime) -> str | None:
    async for file in client.files.list(purpose="batch", order="desc"):
        if file.filename == name:
            return file.id
        if _older(file.created_at, oldest):
            break
    return None


async def _batch_tagged(client: openai.AsyncOpenAI, tag: str, oldest: datetime) -> Batch | None:
    async for told in client.batches.list(limit=100):
        if (told.metadata or {}).get(TAG) == tag:
            return _batch(told)
        if _older(told.created_at, oldest):
            break
    return None


def _older(created_at: Any, oldest: datetime) -> bool:
    return isinstance(created_at, int | float) and datetime.fromtimestamp(created_at, UTC) < oldest


async def _lines(client: openai.AsyncOpenAI, file_id: str) -> AsyncIterator[bytes]:
    """Yield the file's lines as they arrive, split at newlines only: an answer may hold U+2028."""
    rest = b""
    async with client.files.with_streaming_response.content(file_id) as response:
        async for part in response.iter_bytes():
            *whole, rest = (rest + part).split(b"\n")
            for line in whole:
                yield line
    if rest:
        yield rest


def _batch(told: Told) -> Batch:
    counts = told.request_counts
    return Batch(
        id=told.id,
        state=told.status,
        total=counts.total if counts else 0,
        completed=counts.completed if counts else 0,
        failed=counts.failed if counts else 0,
        files=tuple(file for file in (told.output_file_id, told.error_file_id) if file),
        problems=tuple((str(e.code), str(e.message)) for e in (told.errors and told.errors.data) or []),
    )
