"""A server on this machine that speaks the chat protocol as a test tells it to."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from llmops import event_loop
from llmops.replies import Message, Request


@dataclass
class Answer:
    """What the server sends: a body as JSON or bytes, or nothing when the connection is to break off."""

    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    claimed_length: int | None = None
    delay_s: float = 0.0


@dataclass
class Asked:
    """What reached the server; header names in lower case."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


def completion(text: str | None, **more: Any) -> dict[str, Any]:
    message = more.pop("message", {"role": "assistant", "content": text})
    return {
        "id": "c-1",
        "object": "chat.completion",
        "model": "served-1",
        "system_fingerprint": "fp-1",
        "choices": [{"index": 0, "message": message, "finish_reason": more.pop("finish_reason", "stop")}],
        "usage": {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15},
        **more,
    }


class Server:
    """A server on loopback that answers each request with ``answer(asked)`` and remembers all of them."""

    def __init__(self, answer: Callable[[Asked], Answer | None]) -> None:
        self.answer, self.asked = answer, list[Asked]()
        self.busy = self.busiest = self.connections = 0
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while await self._one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        pairs = (line.split(": ", 1) for line in head[1:] if line)
        headers = {name.lower(): value for name, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        asked = Asked(head[0].split(" ")[1], headers, json.loads(body))
        self.asked.append(asked)
        self.busy += 1
        self.busiest = max(self.busiest, self.busy)
        answer = self.answer(asked)
        if answer is not None:
            await asyncio.sleep(answer.delay_s)
        self.busy -= 1
        if answer is None:
            return False
        content = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        length = len(content) if answer.claimed_length is None else answer.claimed_length
        lines = [
            f"HTTP/1.1 {answer.status} Told",
            f"content-length: {length}",
        ]
        headers = {"content-type": "application/json", **answer.headers}
        lines += [f"{name}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode() + content)
        await writer.drain()
        return length == len(content)


@asynccontextmanager
async def _serving(answer: Callable[[Asked], Answer | None]) -> AsyncIterator[Server]:
    server = Server(answer)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/v1"
    try:
        yield server
    finally:
        listener.close()


Serving = Callable[[Callable[[Asked], Answer | None]], Any]


@pytest.fixture
def serving() -> Serving:
    return _serving


@pytest.fixture
def wire() -> Any:
    """The makers of what the server sends."""

    class Wire:
        Answer = Answer
        completion = staticmethod(completion)

    return Wire


@pytest.fixture
def request_of() -> Callable[..., Request]:
    def make(text: str = "where is my parcel", example_id: str = "e-1", **more: Any) -> Request:
        inputs = more.pop("inputs", {"message": text})
        return Request(
            example_id=example_id, inputs=inputs, messages=[Message(role="user", content=text)], **more
        )

    return make


@pytest.fixture
def run() -> Callable[[Awaitable[Any]], Any]:
    def run_it(work: Awaitable[Any]) -> Any:
        async def main() -> Any:
            return await work

        return event_loop.run(main())

    return run_it


@pytest.fixture
def silent_url() -> Iterator[str]:
    """An address on this machine where nobody takes up a connection: its queue is full."""
    with ExitStack() as sockets:
        listening = sockets.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(4):
            waiting = sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1"


@pytest.fixture
def unused_url() -> str:
    """An address on this machine where nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
