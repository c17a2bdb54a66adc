"""What `llmops generate` takes where every answer is stored: seconds and memory of a real process.

`python -m benchmarks.stored [examples ...]` prints a table, a line for each number of examples. The
floor is what must be done at least: the same files read and written by msgspec, in this process.
"""

import asyncio
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from llmops import jsonl
from llmops.models.catalog import open_model, parse_spec
from llmops.models.model import key_of, request_text
from llmops.models.store.store import Store, open_store
from llmops.places import Places
from llmops.questions import load_job
from llmops.records import Example, Response
from llmops.replies import Reply
from llmops.suites import load_suite

EXAMPLES = (100_000, 1_000_000)
PUT_AT_ONCE = 4096
MODEL = {"kind": "openai", "model": "m", "base_url": "http://127.0.0.1:9/v1", "sampling": {"max_tokens": 64}}
PARAMS = f"""
suites:
  bench: {{dataset: bench, task: number, prompts: [bench], models: [bot], metrics: [numeric_match]}}
models:
  bot: {MODEL}
"""
PROMPT = """
messages:
  - {role: system, content: "Answer with a number."}
  - {role: user, content: "{{ question }}\\nAnswer:"}
"""
QUESTION = (
    "Number {n}. A shop sells {a} boxes of {b} pencils each on every day but Sunday; how many pencils" * 2
)


class Line(NamedTuple):
    """One run; seconds from its start to its end, the peak of what was resident."""

    examples: int
    seconds: float
    cpu_s: float
    peak_mb: float
    floor_s: float


def measured(root: Path, examples: int) -> Line:
    """Make a project whose answers are all stored, and run it."""
    _apart(_make, root, examples)
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "llmops", "--root", str(root), "generate", "bench"],
        env={**os.environ, "LLMOPS_STATE": str(root / "state")},
    )
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    if status:
        raise SystemExit(f"generate ended with {status}")
    floor_s = _floor(root)
    return Line(examples, seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, floor_s)


def _apart(work: Callable[..., None], *arguments: Any) -> None:
    """Work in a process of its own: what this one holds would count into a child's peak."""
    process = multiprocessing.get_context("spawn").Process(target=work, args=arguments)
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(f"{work.__name__} ended with {process.exitcode}")


def _make(root: Path, examples: int) -> None:
    _project(root, examples)
    asyncio.run(_fill(root))


def _project(root: Path, examples: int) -> None:
    (root / "prompts").mkdir()
    (root / "prompts" / "bench.yaml").write_text(PROMPT, encoding="utf-8")
    (root / "params.yaml").write_text(PARAMS, encoding="utf-8")
    jsonl.write(root / "results" / "bench" / "examples.jsonl", _examples(examples))


def _examples(count: int) -> Iterator[Example]:
    for n in range(count):
        yield Example(f"e-{n}", {"question": QUESTION.format(n=n, a=n % 97, b=n % 89)}, target=str(n))


async def _fill(root: Path) -> None:
    places = Places(root)
    job = load_job(places, "bench", load_suite(root, "bench"))
    model = open_model("bot", parse_spec("bot", MODEL), places)
    with closing(open_store(f"sqlite:///{root / 'state' / 'store.db'}")) as store:
        puts = []
        for question in job.questions:
            _, request = job.begin(question)
            puts.append(_put(store, key_of(request_text(model, request)), question.example))
            if len(puts) == PUT_AT_ONCE:
                await asyncio.gather(*puts)
                puts = []
        await asyncio.gather(*puts)
    await model.close()


async def _put(store: Store, key: str, example: Example) -> None:
    usage = {"prompt_tokens": 61, "completion_tokens": 12, "total_tokens": 73}
    reply = Reply(
        text=f"The answer is {example.target}.",
        finish_reason="stop",
        usage=usage,
        input_tokens=61,
        output_tokens=12,
        served_model="m-2026-11-01",
        latency_s=0.213456,
        cost_usd=0.0000421,
        asked_at="2026-11-23T21:40:51.123+00:00",
    )
    await store.put(key, "bot", reply)


def _floor(root: Path) -> float:
    suite = root / "results" / "bench"
    started = time.perf_counter()
    for _ in jsonl.read(suite / "examples.jsonl", Example):
        pass
    jsonl.write(suite / "again.jsonl", jsonl.read(suite / "responses.jsonl", Response))
    return time.perf_counter() - started


def shown(found: Line) -> str:
    """Return a row of the table."""
    each = found.seconds / found.examples * 1e6
    return (
        f"| {found.examples:,} | {found.seconds:.1f} | {found.cpu_s:.1f} | {each:.0f} |"
        f" {found.peak_mb:.0f} | {found.floor_s:.1f} |"
    )


def main(arguments: Sequence[str]) -> None:
    """Print the table."""
    print("| examples | seconds | CPU seconds | µs an example | resident peak, MB | floor, seconds |")
    print("|---:|---:|---:|---:|---:|---:|")
    for examples in map(int, arguments or EXAMPLES):
        with tempfile.TemporaryDirectory() as folder:
            print(shown(measured(Path(folder), examples)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
