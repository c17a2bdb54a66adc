"""How many requests at once a server answers faster than fewer."""

import asyncio
from collections.abc import Callable
from time import monotonic

from llmops.probes.finding import Finding
from llmops.probes.subject import QUESTION, Subject
from llmops.replies import Reply

LEVELS = (1, 2, 4, 8)
"""Requests in flight, one level after the other."""
CALLS = sum(LEVELS)
GOOD_SHARE = 0.85
"""Of the best rate: the least level that reaches it is enough."""


async def ramp(subject: Subject, clock: Callable[[], float] = monotonic) -> list[Finding]:
    """Find out the concurrency beyond which no more requests a second are answered, up to 8."""
    rates: dict[int, float] = {}
    for level in LEVELS:
        started = clock()
        texts = [f"{QUESTION} ({level}.{n})" for n in range(level)]  # a server may know the same text
        replies = await asyncio.gather(*map(subject.ask, texts))
        if failed := _failed(replies):
            return [_stopped(level, failed, rates)]
        rates[level] = level / max(clock() - started, 1e-9)
    return [enough(rates)]


def enough(rates: dict[int, float]) -> Finding:
    """Return what rates, level → requests a second, say of the concurrency."""
    best = max(rates.values())
    level = min(level for level, rate in rates.items() if rate >= GOOD_SHARE * best)
    told = ", ".join(f"{rate:.3g}/s at {at}" for at, rate in rates.items())
    if level == max(rates):
        return Finding("concurrency", True, f"{told}: more at once may be faster still")
    return Finding("concurrency", True, f"{told}: no faster beyond {level}", {"concurrency": level})


def _failed(replies: list[Reply]) -> str | None:
    return next((reply.error.kind for reply in replies if reply.error is not None), None)


def _stopped(level: int, kind: str, rates: dict[int, float]) -> Finding:
    most = max(rates, default=1)
    return Finding("concurrency", None, f"{level} at once met {kind}", {"concurrency": most})
