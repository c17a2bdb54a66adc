"""Generate, end to end: what is written, what is asked, and what remains after a signal."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from llmops import jsonl
from llmops.cli import main
from llmops.records import Example, Response, Spend

ROOT = Path(__file__).resolve().parent.parent
PROMPT = "messages: [{role: user, content: '{{ message }}'}]\n"
PARAMS = """
run: [support]
suites:
  support: {{dataset: support, task: text, prompts: [a, b], models: [bot], metrics: [exact_match], repeats: {repeats}}}
models:
  bot: {{kind: openai, model: m, base_url: '{url}', sampling: {{max_tokens: 8}}}}
generate: {{concurrency: {concurrency}, attempts: {attempts}}}
"""
DVC = """
stages:
  generate:
    cmd: {python} -m llmops generate support
    outs: [results/support/responses.jsonl]
"""


class Slow:
    """A chat server in this process; answers the last message after a while, or with a fault."""

    def __init__(self, delay_s: float = 0.0) -> None:
        self.delay_s, self.asked = delay_s, list[str]()
        self.fault: Callable[[str], tuple[int, dict[str, str]] | None] = lambda text: None
        outer = self

        class Answering(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body in one segment

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                text = body["messages"][-1]["content"]
                outer.asked.append(text)
                fault = outer.fault(text)
                time.sleep(outer.delay_s)
                status, headers = fault or (200, {})
                message = {"role": "assistant", "content": f"re {text}"}
                told = {"choices": [{"message": message, "finish_reason": "stop"}]}
                content = json.dumps({"error": {"message": "no"}} if fault else told).encode()
                self.send_response(status)
                for name, value in {**headers, "content-length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args: object) -> None:
                pass

        self.listener = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        self.url = f"http://127.0.0.1:{self.listener.server_address[1]}/v1"
        threading.Thread(target=self.listener.serve_forever, kwargs={"poll_interval": 0.01}).start()


@pytest.fixture
def slow() -> Iterator[Slow]:
    server = Slow()
    yield server
    server.listener.shutdown()
    server.listener.server_close()


@pytest.fixture
def project(tmp_path: Path, slow: Slow, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LLMOPS_STATE", str(tmp_path / "state"))

    def make(
        examples: int = 10, concurrency: int = 4, repeats: int = 1, attempts: int = 1, texts: int = 0
    ) -> Path:
        (tmp_path / "prompts").mkdir()
        (tmp_path / "prompts" / "a.yaml").write_text(PROMPT, encoding="utf-8")
        (tmp_path / "prompts" / "b.yaml").write_text(PROMPT.replace("{{", "b {{"), encoding="utf-8")
        params = PARAMS.format(url=slow.url, concurrency=concurrency, repeats=repeats, attempts=attempts)
        (tmp_path / "params.yaml").write_text(params, encoding="utf-8")
        rows = [Example(f"e-{n}", {"message": f"한 {n % (texts or examples)}"}) for n in range(examples)]
        jsonl.write(tmp_path / "results/support/examples.jsonl", rows)
        return tmp_path

    return make


def responses(root: Path) -> list[Response]:
    return list(jsonl.read(root / "results/support/responses.jsonl", Response))


def spent(root: Path) -> list[Spend]:
    return list(jsonl.read(root / "state/spend.jsonl", Spend))


def generating(root: Path, *command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command or [sys.executable, "-m", "llmops", "generate", "support"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(ROOT), "DVC_NO_ANALYTICS": "1"},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )


def until(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    ends_at = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends_at, "it never came"
        time.sleep(0.005)


def test_responses_stand_in_the_order_of_prompts_examples_and_repeats(
    project: Callable[..., Path], slow: Slow
) -> None:
    root = project(examples=300, repeats=2, concurrency=16)
    main(["generate", "support"])
    found = responses(root)
    assert [(r.prompt, r.example_id, r.repeat) for r in found] == [
        (prompt, f"e-{n}", repeat) for prompt in "ab" for n in range(300) for repeat in range(2)
    ]
    assert all(r.answer == f"re {'b ' * (r.prompt == 'b')}한 {r.example_id[2:]}" for r in found)
    assert len(slow.asked) == 1200


def test_a_second_run_asks_nothing_and_writes_the_same_bytes(
    project: Callable[..., Path], slow: Slow
) -> None:
    root = project(examples=300)
    main(["generate", "support"])
    first, asked = (root / "results/support/responses.jsonl").read_bytes(), len(slow.asked)
    main(["generate", "support"])
    assert (root / "results/support/responses.jsonl").read_bytes() == first
    assert len(slow.asked) == asked
    assert [(s.prompt, s.calls, s.hits) for s in spent(root)[2:]] == [("a", 0, 300), ("b", 0, 300)]


def test_examples_that_ask_the_same_are_asked_once(project: Callable[..., Path], slow: Slow) -> None:
    root = project(examples=600, texts=5, concurrency=64)
    main(["generate", "support"])
    assert sorted(slow.asked) == sorted([f"한 {n}" for n in range(5)] + [f"b 한 {n}" for n in range(5)])
    assert all(r.answer is not None for r in responses(root))
    assert sum(s.hits for s in spent(root)) == 1190


def test_examples_are_asked_in_the_seed_s_order_over_all_prompts(
    project: Callable[..., Path], slow: Slow
) -> None:
    project(examples=400, concurrency=1)
    main(["generate", "support"])
    early = slow.asked[:100]
    assert 25 <= sum(text.startswith("b ") for text in early) <= 75
    assert 25 <= sum(int(text.split()[-1]) < 200 for text in early) <= 75


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_the_first_signal_saves_what_is_in_flight_and_going_on_asks_only_the_rest(
    number: signal.Signals, project: Callable[..., Path], slow: Slow
) -> None:
    root = project(examples=20, concurrency=4)
    slow.delay_s = 0.7
    process = generating(root)
    until(lambda: len(slow.asked) == 8)
    process.send_signal(number)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said.splitlines()[-1] == (
        "stopped: bot answered 8 of 40, all stored; the same command goes on from there"
    )
    assert len(slow.asked) == 8
    assert sum(s.calls for s in spent(root)) == 8
    assert not list((root / "results/support").glob(".*"))
    slow.delay_s = 0.0
    main(["generate", "support"])
    assert len(slow.asked) == len(set(slow.asked)) == 40
    assert len(responses(root)) == 40


def test_a_second_signal_stops_at_once(project: Callable[..., Path], slow: Slow) -> None:
    root = project(examples=20, concurrency=4)
    slow.delay_s = 20.0
    process = generating(root)
    until(lambda: len(slow.asked) == 4)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=10)
    assert process.returncode == 130
    assert said.splitlines()[-1].startswith("stopped at once: ")
    assert len(spent(root)) == 2


def test_a_signal_ends_the_wait_between_attempts(project: Callable[..., Path], slow: Slow) -> None:
    root = project(examples=20, concurrency=4, attempts=5)
    slow.fault = lambda text: (503, {"retry-after": "60"})
    slow.delay_s = 0.5  # so that all four are out before the first is refused
    process = generating(root)
    until(lambda: len(slow.asked) == 4)
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
    assert process.returncode == 130
    assert len(slow.asked) == 4


def test_ctrl_c_while_dvc_runs_the_stage_saves_what_is_in_flight(
    project: Callable[..., Path], slow: Slow
) -> None:
    root = project(examples=20, concurrency=4)
    (root / "dvc.yaml").write_text(DVC.format(python=sys.executable), encoding="utf-8")
    subprocess.run([sys.executable, "-m", "dvc", "init", "--no-scm", "-q"], cwd=root, check=True)
    slow.delay_s = 0.7
    process = generating(root, sys.executable, "-m", "dvc", "repro")
    until(lambda: len(slow.asked) == 4)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "stopped: bot answered 4 of 40" in said
    assert len(slow.asked) == 4
    slow.delay_s = 0.0
    subprocess.run(
        [sys.executable, "-m", "dvc", "repro", "-q"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
    )
    assert len(slow.asked) == len(set(slow.asked)) == 40


def test_a_conversation_of_which_a_part_is_stored_goes_on_from_there(
    project: Callable[..., Path], slow: Slow
) -> None:
    root = project()
    for name in "ab":
        (root / "prompts" / f"{name}.yaml").write_text(
            "messages: []\nconversation: turns\n", encoding="utf-8"
        )
    rows = [Example(f"e-{n}", {"turns": [f"hi {n}", "more"]}) for n in range(300)]
    jsonl.write(root / "results/support/examples.jsonl", rows)
    slow.fault = lambda text: (400, {}) if text == "more" else None
    main(["generate", "support"])
    assert all(r.error is not None and len(r.turns) == 2 for r in responses(root))
    slow.fault = lambda text: None
    slow.asked.clear()
    main(["generate", "support"])
    assert set(slow.asked) == {"more"}
    assert len(slow.asked) == 300
    assert all(r.answer == "re more" and len(r.turns) == 2 for r in responses(root))
    assert sum(s.hits for s in spent(root)[2:]) == 900


def test_an_interrupted_run_leaves_the_responses_of_the_last_whole_one(
    project: Callable[..., Path], slow: Slow
) -> None:
    root = project(examples=20)
    main(["generate", "support"])
    before = (root / "results/support/responses.jsonl").read_bytes()
    (root / "prompts" / "a.yaml").write_text(PROMPT.replace("{{", "new {{"), encoding="utf-8")
    slow.delay_s = 0.5
    process = generating(root)
    until(lambda: len(slow.asked) > 40)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert (root / "results/support/responses.jsonl").read_bytes() == before
