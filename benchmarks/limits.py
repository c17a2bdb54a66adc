"""How much of what a rate-limited server allows is used, with how many refusals.

`python -m benchmarks.limits [requests]` prints a table; it needs the test dependencies. Each line is a
server process of its own that allows 600 requests a minute by a token bucket and answers in 0.2 s, asked
through the model stack with the default settings; all lines run side by side. ``allowed`` is the time
that the bucket itself needs: (requests - its size) / rate, or the requests' own at 64 in flight. The last
line, asked alone, is a server without a limit.
"""

import asyncio
import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from llmops.models.catalog import open_model, parse_spec
from llmops.models.meter import Meter
from llmops.models.stack import Limits, stacked
from llmops.models.store.store import open_store
from llmops.places import Places
from llmops.replies import Message, Request
from tests.servers.behaviour import Behaviour
from tests.servers.started import Server, started

REQUESTS = 1319
PER_MIN = 600.0
LATENCY_S = 0.2
LANES = 64
APART_S = 3.0
"""Seconds between the starts of two cases, so that their first requests do not wait for each other."""


class Case(NamedTuple):
    """One server and the settings that it is asked with."""

    name: str
    behaviour: Behaviour
    limits: Limits

    def allowed_s(self, requests: int) -> float:
        """Return the seconds that the server needs at the least."""
        floor_s = requests * LATENCY_S / LANES
        per_min = self.behaviour.requests_per_min
        if per_min is None:
            return floor_s
        if self.limits.requests_per_min:
            return requests / self.limits.requests_per_min * 60
        return max(floor_s, (requests - (self.behaviour.burst or per_min)) / per_min * 60)


def cases() -> list[Case]:
    """Return every case: buckets of a second and of a minute, with headers and without, set and not."""
    return [
        Case(
            f"bucket {burst:.0f}, {'headers' if tells else 'no headers'}, {'set' if per_min else 'not set'}",
            Behaviour(
                latency_s=LATENCY_S,
                requests_per_min=PER_MIN,
                burst=burst,
                rate_headers="asked" if tells else None,
            ),
            Limits(requests_per_min=per_min),
        )
        for burst in (10.0, 600.0)
        for tells in (True, False)
        for per_min in (None, PER_MIN)
    ]


async def _asked(case: Case, server: Server, requests: int, folder: Path) -> str:
    raw = {"kind": "openai", "model": "m", "base_url": server.url, "sampling": {"max_tokens": 8}}
    model = open_model("m", parse_spec("m", raw), Places(folder))
    left = iter(range(requests))
    wrong = 0

    async def work() -> None:
        nonlocal wrong
        for number in left:
            messages = [Message(role="user", content=f"question {number}")]
            reply = await stack.ask(Request(example_id=str(number), inputs={}, messages=messages))
            wrong += reply.error is not None

    with closing(open_store(f"sqlite:///{folder / 'store.db'}")) as store:
        stack = stacked(model, store, Meter(), case.limits)
        before = monotonic()
        await asyncio.gather(*(work() for _ in range(LANES)))
        seconds = monotonic() - before
        await model.close()
    counts = server.counts()
    refused, allowed_s = counts.outcomes.get("429", 0), case.allowed_s(requests)
    return (
        f"{case.name:32} {seconds:8.2f} {allowed_s:8.2f} {allowed_s / seconds:7.1%}"
        f" {refused:6} {refused / counts.requests:7.2%} {wrong:6}"
    )


async def _in_process(case: Case, requests: int, after_s: float = 0.0) -> str:
    await asyncio.sleep(after_s)
    with started(case.behaviour) as server, tempfile.TemporaryDirectory() as folder:
        return await _asked(case, server, requests, Path(folder))


async def main(arguments: Sequence[str]) -> None:
    """Print the table."""
    requests = int(arguments[0]) if arguments else REQUESTS
    print(
        f"{'server, setting':32} {'s':>8} {'allowed':>8} {'used':>7} {'429s':>6} {'share':>7} {'errors':>6}"
    )
    lines = (_in_process(case, requests, n * APART_S) for n, case in enumerate(cases()))
    print(*await asyncio.gather(*lines), sep="\n", flush=True)
    print(await _in_process(Case("no limit", Behaviour(latency_s=LATENCY_S), Limits()), requests))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
