"""A suite's judges sat down to its answers: each judges once, whoever asks for its verdicts."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from llmops.judges.catalog import load_judge
from llmops.judges.judge import Bench, Case, Judge, Subject
from llmops.places import Places
from llmops.records import Judgement, Response
from llmops.suites import Baseline

Ask = Callable[[Judge, Sequence[Case]], Awaitable[list[Response]]]


def judging(
    places: Places, subjects: Sequence[Subject], baseline: Baseline | None, ask: Ask
) -> Callable[[str], Awaitable[list[Judgement]]]:
    """Return what gives a judge's Judgements by its name.

    Args:
        ask: a judge and its cases → what its model said to each.
    """
    begun: dict[str, asyncio.Future[list[Judgement]]] = {}

    async def judgements(name: str) -> list[Judgement]:
        if name not in begun:
            judge = load_judge(places, name)
            begun[name] = asyncio.ensure_future(judge.sit(judge, bench))
        return await begun[name]

    bench = Bench(places.root, subjects, baseline, ask, judgements)
    return judgements
