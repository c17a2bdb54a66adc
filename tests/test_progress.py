"""Progress: a line every few seconds where there is no terminal, one that moves where there is."""

import asyncio
import io
import itertools
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from llmops import jsonl
from llmops.generating import Round, Run
from llmops.indexed import Indexed
from llmops.models.budget import Allowance, Budget
from llmops.models.model import Model, request_key
from llmops.models.stack import Limits
from llmops.models.stoppable import Stop
from llmops.models.store.store import SCHEME, open_store
from llmops.prices import Price
from llmops.progress import Progress
from llmops.prompts import Prompt, PromptFile, PromptMessage
from llmops.questions import Job, Questions
from llmops.records import Example
from llmops.replies import Reply, Request

PRICE = Price(input_per_mtok_usd=1000, output_per_mtok_usd=1000)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def ticking(*seconds: float) -> Iterator[float]:
    return iter(seconds)


def test_without_a_terminal_a_line_is_told_every_few_seconds() -> None:
    now, stream = ticking(0.0, 1.0, 6.0, 7.0, 8.0), io.StringIO()
    progress = Progress("generate support", 40, lambda: "2 stored", stream, lambda: next(now))
    for _ in range(3):
        for _ in range(6):
            progress.step()
        progress.look()
    progress.end()
    assert stream.getvalue().splitlines() == [
        "generate support: 12/40, 2/s, 14 s left, 2 stored",
        "generate support: 18/40, 2/s, 10 s left, 2 stored",
    ]


def test_the_rate_is_that_of_the_last_seconds() -> None:
    now, stream = ticking(0.0, 100.0, 105.0, 110.0), io.StringIO()
    progress = Progress("x", 1000, stream=stream, clock=lambda: next(now))
    progress.look()
    for _ in range(50):
        progress.step()
    progress.look()
    progress.look()
    assert [line.split(", ")[1] for line in stream.getvalue().splitlines()] == ["0/s", "10/s", "5/s"]


def test_without_a_step_the_time_left_is_not_told_and_the_line_still_comes() -> None:
    now, stream = ticking(0.0, 5.0), io.StringIO()
    progress = Progress("x", 10, lambda: "64 waiting", stream, lambda: next(now))
    progress.look()
    assert stream.getvalue() == "x: 0/10, 0/s, 64 waiting\n"


def test_on_a_terminal_one_line_moves() -> None:
    now, stream = ticking(0.0, 1.0, 2.0), Terminal()
    progress = Progress("x", 2, stream=stream, clock=lambda: next(now))
    progress.step()
    progress.look()
    progress.step()
    progress.end()
    assert stream.getvalue() == "\r\x1b[Kx: 1/2, 1/s, 1 s left\r\x1b[Kx: 2/2, 1/s\n"


@pytest.mark.parametrize(
    ("columns", "told"), [(40, "x: 1/2, 1/s, 1 s left, $0.012 spent"), (60, None), (9, "x: 1/2")]
)
def test_a_narrow_terminal_leaves_out_what_stands_last(
    columns: int, told: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    now, stream = ticking(0.0, 1.0), Terminal()
    progress = Progress("x", 2, lambda: "$0.012 spent, $9.99 left", stream, lambda: next(now))
    progress.step()
    progress.look()
    line = stream.getvalue().removeprefix("\r\x1b[K")
    assert line == (told or "x: 1/2, 1/s, 1 s left, $0.012 spent, $9.99 left")


def a_job(folder: Path, count: int) -> Job:
    jsonl.write(folder / "examples.jsonl", (Example(f"e-{n}", {"n": n}) for n in range(count)))
    prompt = Prompt("p", PromptFile([PromptMessage("user", "question {{ n }}")]))
    return Job("tiny", "question", Questions(Indexed(folder / "examples.jsonl", Example), [prompt]))


def a_model(ask: Callable[[Request], Awaitable[Reply]]) -> Model:
    identity = {"kind": "llamacpp", "model": "m", "sampling": {"max_tokens": 8}}
    return Model(
        "bot",
        identity,
        lambda request: {"text": request.messages[-1].content},
        ask,
        price=PRICE,
        concurrency=2,
    )


def test_a_round_tells_what_it_spent_and_has_left_before_what_is_under_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("COLUMNS", "200")
    job = a_job(tmp_path, 8)

    async def told() -> None:
        go_on, number = asyncio.Event(), itertools.count(1)

        async def ask(request: Request) -> Reply:
            if next(number) > 2:
                await go_on.wait()
            return Reply(text="x", input_tokens=1, output_tokens=1)

        model = a_model(ask)
        with closing(open_store(f"{SCHEME}{tmp_path / 'store.db'}")) as store:
            first = job.begin(next(iter(job.questions)))[1]
            await store.put(request_key(model, first), "bot", Reply(text="x"))
            allowance = Allowance(budget_calls=20)
            run = Run(store, Budget(allowance), Limits(concurrency=5), Stop())
            asked = Round(run, job, model, lambda number, line: None)
            asking = asyncio.create_task(asked.ask_all())
            async with asyncio.timeout(10):
                while "2 in flight, 3 waiting" not in stream.getvalue():
                    await asyncio.sleep(0.05)
            go_on.set()
            await asking

    asyncio.run(told())
    lines = stream.getvalue().split("\r\x1b[K")
    [line, *_] = [line for line in lines if "2 in flight, 3 waiting" in line]
    assert line.startswith("generate tiny: bot: 3/8, ")
    assert line.endswith(" s left, $0.004 spent, 13 calls left, 2 in flight, 3 waiting, 1 stored")
    assert lines[-1].endswith("/s, $0.014 spent, 13 calls left, 1 stored\n")
