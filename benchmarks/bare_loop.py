"""The least that asking costs: aiohttp, so many requests in flight, each answer on disk with its two moments.

`python -m benchmarks.bare_loop BASE_URL QUESTIONS IN_FLIGHT OUT` knows no store, ledger, retry or error.
"""

import asyncio
import json
import sys
from pathlib import Path
from time import time
from typing import NamedTuple

import aiohttp


class Answered(NamedTuple):
    """An answer, with the seconds since 1970 at which it was asked for and had."""

    text: str
    asked_s: float
    had_s: float


async def ask_all(base_url: str, questions: list[str], in_flight: int) -> list[Answered]:
    """Return the answers to all questions, in their order."""
    answers = [Answered("", 0.0, 0.0)] * len(questions)
    waiting = iter(enumerate(questions))

    async def work(session: aiohttp.ClientSession) -> None:
        for number, question in waiting:
            body = {"model": "bench", "messages": [{"role": "user", "content": question}]}
            asked_s = time()
            async with session.post(f"{base_url}/chat/completions", json=body) as response:
                text = (await response.json())["choices"][0]["message"]["content"]
            answers[number] = Answered(text, asked_s, time())

    connector = aiohttp.TCPConnector(limit=in_flight)
    async with aiohttp.ClientSession(connector=connector) as session, asyncio.TaskGroup() as workers:
        for _ in range(in_flight):
            workers.create_task(work(session))
    return answers


def main(base_url: str, questions: str, in_flight: str, out: str) -> None:
    """Ask every question of the file, and write the answers a line each."""
    asked = [
        json.loads(line)["question"] for line in Path(questions).read_text(encoding="utf-8").splitlines()
    ]
    answers = asyncio.run(ask_all(base_url, asked, int(in_flight)))
    Path(out).write_text("".join(json.dumps(answer) + "\n" for answer in answers), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
