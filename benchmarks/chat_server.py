"""A server on loopback that answers OpenAI chat requests from a file, each after the same time.

`python -m benchmarks.chat_server ANSWERS LATENCY_S` prints its port. ANSWERS has a JSON object a line with
`question` and `answer`; the last message of a request is its question. An unknown one is answered so.
"""

import asyncio
import selectors
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec
from aiohttp import web

UNKNOWN = "I do not know this question."


class Row(msgspec.Struct):
    """A question with its answer in words."""

    question: str
    answer: str


class _Message(msgspec.Struct):
    content: str


class _Asked(msgspec.Struct):
    messages: list[_Message]


def body(text: str) -> bytes:
    """Return a chat completion's body."""
    words = len(text.split())
    return msgspec.json.encode({
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "bench",
        "choices": [
            {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
        ],
        "usage": {"prompt_tokens": 100, "completion_tokens": words, "total_tokens": 100 + words},
    })  # fmt: skip


def answering(answers: Mapping[str, bytes], latency_s: float) -> web.Server:
    """Return the server; its low-level form carries some thousand requests a second."""
    decode, unknown = msgspec.json.Decoder(_Asked).decode, body(UNKNOWN)

    async def answer(request: web.BaseRequest) -> web.Response:
        asked = decode(await request.read())
        await asyncio.sleep(latency_s)
        found = answers.get(asked.messages[-1].content, unknown)
        return web.Response(body=found, content_type="application/json")

    return web.Server(answer, access_log=None)


def precise_loop() -> asyncio.AbstractEventLoop:
    """Return a loop that wakes within microseconds; the usual one, on epoll, is up to a millisecond late."""
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


async def serve(path: Path, latency_s: float) -> None:
    """Serve until the process is ended."""
    rows = [msgspec.json.decode(line, type=Row) for line in path.read_bytes().splitlines()]
    runner = web.ServerRunner(answering({row.question: body(row.answer) for row in rows}, latency_s))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=precise_loop) as runner:
        runner.run(serve(Path(sys.argv[1]), float(sys.argv[2])))
