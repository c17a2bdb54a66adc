"""How long a million responses take to be scored, and how much memory that takes.

`python -m benchmarks.scored [responses]` prints a table. It writes that many responses of one run into
a project below the system's folder of temporary files, and times `llmops score` on them: a process of
its own, from its start to the scores on disk. The largest resident size is what the kernel says of it.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from llmops import jsonl
from llmops.places import Places
from llmops.records import Example, Response
from llmops.replies import Message, Reply, Turn

RESPONSES = 1_000_000
ROOT = Path(__file__).resolve().parent.parent
SUITES = {"number": "numeric_match", "text": "exact_match, token_f1", "corpus": "bleu"}
"""Suite → its metrics."""
PARAMS = "suites:\n" + "".join(
    f"  {name}: {{dataset: d, task: {'number' if name == 'number' else 'text'}, prompts: [p], models: [m],"
    f" metrics: [{metrics}]}}\n"
    for name, metrics in SUITES.items()
)
CARD = "name: d\nlicence: internal\nfiles: [{path: rows.csv}]\nfields: {inputs: {question: q}}\n"


class Line(NamedTuple):
    """What scoring one suite took."""

    metrics: str
    seconds: float
    cpu_s: float
    resident_mb: float


def examples(count: int) -> Iterator[Example]:
    """Yield numbered questions, each with its sum for a target."""
    for i in range(count):
        yield Example(f"d-{i:07}", {"question": f"How much are {i} parcels and 7 more?"}, target=str(i + 7))


def responses(suite: str, asked: Iterator[Example]) -> Iterator[Response]:
    """Yield an answer of a sentence to each, every eighth of them wrong, as generate would write it."""
    for number, example in enumerate(asked):
        said = f"{number} parcels and 7 more make {int(example.target or 0) + (number % 8 == 0)}."
        usage = {"prompt_tokens": 12, "completion_tokens": 9}
        reply = Reply(text=said, finish_reason="stop", usage=usage, served_model="m", latency_s=0.2)
        yield Response(
            suite=suite,
            example_id=example.id,
            model="m",
            prompt="p",
            answer=said,
            finish_reason="stop",
            input_tokens=12,
            output_tokens=9,
            latency_s=0.2,
            turns=[Turn([Message("user", str(example.inputs["question"]))], reply)],
        )


def line(root: Path, suite: str, count: int) -> Line:
    """Write the suite's files, and score them in a process of its own."""
    places = Places(root)
    jsonl.write(places.suite(suite, "examples.jsonl"), examples(count))
    jsonl.write(places.suite(suite, "responses.jsonl"), responses(suite, examples(count)))
    words = [sys.executable, "-c", MEASURED, str(root), suite]
    started = time.perf_counter()
    told = subprocess.run(words, capture_output=True, text=True, check=True, env=_environment()).stdout
    seconds = time.perf_counter() - started
    cpu_s, resident_kb = map(float, told.split())
    for name in ("examples", "responses", "scores"):
        places.suite(suite, f"{name}.jsonl").unlink()
    return Line(SUITES[suite], seconds, cpu_s, resident_kb / 1024)


MEASURED = """
import resource, sys
from llmops.cli import main
main(["--root", sys.argv[1], "score", sys.argv[2]])
used = resource.getrusage(resource.RUSAGE_SELF)
print(used.ru_utime + used.ru_stime, used.ru_maxrss)
"""


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT)}


def main(arguments: Sequence[str]) -> None:
    """Print the table."""
    count = int(arguments[0]) if arguments else RESPONSES
    print(f"| metrics, {count:,} responses | seconds | CPU seconds | largest resident MB |")
    print("|---|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "params.yaml").write_text(PARAMS, encoding="utf-8")
        jsonl.write_text(root / "data" / "sets" / "d" / "card.yaml", CARD)
        for suite in SUITES:
            found = line(root, suite, count)
            print(
                f"| {found.metrics} | {found.seconds:.1f} | {found.cpu_s:.1f} | {found.resident_mb:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main(sys.argv[1:])
