"""How fast questions are asked, stored and scored, beside a bare HTTP loop and two other programs.

`python -m benchmarks.engine [--without-peers] [--rounds 3]` prints two tables. It needs the test
dependencies, and the questions of GSM8K from the network or `LLMOPS_DATA_MIRROR`; the other programs
are installed once, by uv or pip, into a folder of the user's cache.

Each program is a process of its own, timed from its start to its last answer on disk, with the
processor's time of all its children. The server is one process on loopback that answers each request
in words after the same time; what a program makes of the words is held against the targets. The floor
is what the latency alone takes: the rounds that so many requests in flight need. Asking alone is the
time from the first request to the last answer, without the program's start and end.
"""

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.peers import PEERS, Load, Peer, programs
from llmops import jsonl
from llmops.places import Places
from llmops.records import Example, Response, Score

ROOT = Path(__file__).resolve().parent.parent


class Case(NamedTuple):
    """What is asked, and of how slow a server."""

    suite: str
    in_flight: int
    latency_s: float
    limits: str
    """Of ``generate``, as YAML: what is held, none of it reached."""
    peers: bool


HELD = "budget_usd: 100, budget_tokens: 100000000, requests_per_min: 1000000, tokens_per_min: 1000000000"
CASES = (Case("gsm8k", 64, 0.2, "", peers=True), Case("parcels", 256, 0.05, HELD, peers=False))
PARCELS = 5000

PARAMS = """
suites:
  gsm8k: &suite
    {{dataset: gsm8k, task: number, prompts: [question], models: [bench], metrics: [numeric_match]}}
  parcels: {{<<: *suite, dataset: parcels}}
models:
  bench:
    kind: openai
    model: bench
    base_url: {base_url}
    sampling: {{max_tokens: 256}}
    price: {{input_per_mtok_usd: 0.1, output_per_mtok_usd: 0.4}}
generate: {{concurrency: {in_flight}, {limits}}}
run: [gsm8k, parcels]
"""
PROMPT = "messages:\n- {role: user, content: '{{ question }}'}\n"
CARD = """name: parcels
licence: MIT
files: [{path: rows.jsonl}]
fields: {inputs: [question], target: answer}
"""


class Took(NamedTuple):
    """What a process took, its children included."""

    seconds: float
    cpu_s: float


class Line(NamedTuple):
    """One program on one case."""

    program: str
    took: Took
    right: float | None = None
    """Share of answers that it found right; None where it scores none."""
    asking_s: float | None = None
    """From the first request to the last answer, the program's start and end left out; None if not told."""


def took(words: Sequence[str], environment: Mapping[str, str] | None = None, folder: Path = ROOT) -> Took:
    """Run a command to its end, standing in the folder.

    Raises:
        SystemExit: it failed (with the end of what it said).
    """
    with tempfile.TemporaryFile() as said:
        started = time.perf_counter()
        about = _environment() | (environment or {})
        process = subprocess.Popen(words, cwd=folder, env=about, stdout=said, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise SystemExit(f"{' '.join(words)}\n{said.read().decode(errors='replace')[-2000:]}")
    return Took(seconds, used.ru_utime + used.ru_stime)


def _environment() -> dict[str, str]:
    """Return the user's environment, in which Python keeps what it compiled, as it does by default."""
    return {k: v for k, v in os.environ.items() if k not in {"PYTHONDONTWRITEBYTECODE", "PYTHONPATH"}}


def written(root: Path) -> None:
    """Write the project: two suites, a prompt, the cards and the expectations."""
    shutil.copytree(ROOT / "data" / "expectations", root / "data" / "expectations")
    (root / "data" / "sets").mkdir()
    shutil.copytree(ROOT / "data" / "sets" / "gsm8k", root / "data" / "sets" / "gsm8k")
    (root / "prompts").mkdir()
    (root / "prompts" / "question.yaml").write_text(PROMPT, encoding="utf-8")
    parcels = [{"question": f"How much are {i} parcels and 7 more?", "answer": i + 7} for i in range(PARCELS)]
    jsonl.write(root / "data" / "sets" / "parcels" / "rows.jsonl", parcels)
    jsonl.write_text(root / "data" / "sets" / "parcels" / "card.yaml", CARD)


def settle(root: Path, case: Case, base_url: str) -> None:
    """Write the project's settings for one case and server."""
    text = PARAMS.format(base_url=base_url, in_flight=case.in_flight, limits=case.limits)
    (root / "params.yaml").write_text(text, encoding="utf-8")


def _llmops(root: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "llmops", "--root", str(root), *words]


@contextmanager
def serving(answers: Path, latency_s: float) -> Iterator[str]:
    """Give the base URL of a server that answers from the file."""
    words = [sys.executable, "-m", "benchmarks.chat_server", str(answers), str(latency_s)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=_environment())
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}/v1"  # type: ignore[union-attr]
    finally:
        process.terminate()
        process.communicate()


def lines(root: Path, case: Case, peers: Sequence[Peer], rounds: int) -> Iterator[Line]:
    """Yield each program's median round on the case."""
    places = Places(root)
    examples = list(jsonl.read(places.suite(case.suite, "examples.jsonl"), Example))
    answers, questions = root / "answers.jsonl", root / "questions.jsonl"
    asked = [(str(e.inputs["question"]), str(e.target).replace(",", "")) for e in examples]
    jsonl.write(answers, ({"question": q, "answer": f"So the answer is {t}."} for q, t in asked))
    jsonl.write(questions, ({"question": q, "target": t} for q, t in asked))
    with serving(answers, case.latency_s) as base_url:
        settle(root, case, base_url)
        bare = [sys.executable, "-m", "benchmarks.bare_loop", base_url, str(questions), str(case.in_flight)]
        yield _bare([*bare, str(root / "bare")], rounds)
        yield from _ours(root, case, rounds)
        for peer in peers:
            yield _peer(peer, Load(root / "peers", questions, base_url, case.in_flight), rounds)


def _bare(words: Sequence[str], rounds: int) -> Line:
    whole, asking = list[Took](), list[float]()
    for _ in range(rounds):
        whole.append(took(words))
        rows = [json.loads(row) for row in Path(words[-1]).read_text(encoding="utf-8").splitlines()]
        asking.append(max(had_s for _, _, had_s in rows) - min(asked_s for _, asked_s, _ in rows))
    return Line("bare HTTP loop (aiohttp)", _median(whole), asking_s=median(asking))


def _asking_s(root: Path, suite: str) -> float:
    replies = [r.turns[0].reply for r in jsonl.read(Places(root).suite(suite, "responses.jsonl"), Response)]
    asked_s = [datetime.fromisoformat(reply.asked_at or "").timestamp() for reply in replies]
    had_s = [at + (reply.latency_s or 0.0) for at, reply in zip(asked_s, replies, strict=True)]
    return max(had_s) - min(asked_s)


def _middle(rounds: int, once: Callable[[], Took]) -> Took:
    """Return the medians of the rounds."""
    found = [once() for _ in range(rounds)]
    return Took(median(each.seconds for each in found), median(each.cpu_s for each in found))


def _ours(root: Path, case: Case, rounds: int) -> Iterator[Line]:
    asking, scoring, alone = [], [], []
    for number in range(rounds):
        store = {"LLMOPS_STATE": str(root / f"state-{case.suite}-{number}")}
        asking.append(took(_llmops(root, "generate", case.suite), store))
        alone.append(_asking_s(root, case.suite))
        scoring.append(took(_llmops(root, "score", case.suite), store))
    again = _middle(rounds, lambda: took(_llmops(root, "generate", case.suite), store))
    both = [Took(a.seconds + b.seconds, a.cpu_s + b.cpu_s) for a, b in zip(asking, scoring, strict=True)]
    scores = list(jsonl.read(Places(root).suite(case.suite, "scores.jsonl"), Score))
    right = sum(score.value or 0.0 for score in scores) / len(scores)
    yield Line("llmops generate", _median(asking), asking_s=median(alone))
    yield Line("llmops generate, llmops score", _median(both), right)
    yield Line("llmops generate, all in the store", again)


def _median(found: Sequence[Took]) -> Took:
    rest = iter(found)
    return _middle(len(found), lambda: next(rest))


def _peer(peer: Peer, load: Load, rounds: int) -> Line:
    folder = programs(peer)
    warm = peer.command(folder, load, 1)  # what it compiles and converts once is no part of it
    took(warm.words, warm.environment, load.folder)
    command = peer.command(folder, load, None)
    found = _middle(rounds, lambda: took(command.words, command.environment, load.folder))
    return Line(" ".join(peer.packages[0].split("==")), found, command.right())


def shown(line: Line, case: Case, count: int) -> str:
    """Return a row of the table."""
    floor_s = math.ceil(count / case.in_flight) * case.latency_s
    seconds, cpu_s = line.took
    right = "–" if line.right is None else f"{100 * line.right:.1f} %"
    asking = "–" if line.asking_s is None else f"{line.asking_s / floor_s:.2f}"
    return (
        f"| {line.program} | {seconds:.2f} | {seconds / floor_s:.2f} | {asking} | {count / seconds:,.0f}"
        f" | {1000 * cpu_s / count:.2f} | {right} |"
    )


def _table(root: Path, case: Case, peers: Sequence[Peer], rounds: int) -> None:
    count = sum(1 for _ in jsonl.read(Places(root).suite(case.suite, "examples.jsonl"), Example))
    floor_s = math.ceil(count / case.in_flight) * case.latency_s
    print(
        f"\n{count:,} questions, {case.in_flight} in flight, {1000 * case.latency_s:.0f} ms:"
        f" floor {floor_s:.2f} s\n\n"
        "| program | seconds | times the floor | asking alone | questions a second | CPU ms a question"
        " | right |\n"
        "|---|---:|---:|---:|---:|---:|---:|",
        flush=True,
    )
    for line in lines(root, case, peers if case.peers else (), rounds):
        print(shown(line, case, count), flush=True)


def _installed() -> list[Peer]:
    """Return the peers that are there or could be installed; the others are told."""
    found = []
    for peer in PEERS:
        try:
            programs(peer)
            found.append(peer)
        except (OSError, subprocess.CalledProcessError) as problem:
            said = getattr(problem, "stderr", None) or str(problem)
            print(f"{peer.name}: left out, it cannot be installed: {said.strip()[-300:]}", file=sys.stderr)
    return found


def main(arguments: Sequence[str]) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engine")
    parser.add_argument("--without-peers", action="store_true", help="leave other programs out")
    parser.add_argument("--rounds", type=int, default=3, help="the median of so many (default 3)")
    chosen = parser.parse_args(arguments)
    peers = [] if chosen.without_peers else _installed()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        written(root)
        settle(root, CASES[0], "http://127.0.0.1:1/v1")
        took(_llmops(root, "fetch"))
        for case in CASES:
            took(_llmops(root, "validate", case.suite))
            _table(root, case, peers, chosen.rounds)


if __name__ == "__main__":
    main(sys.argv[1:])
