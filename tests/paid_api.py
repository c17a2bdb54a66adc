"""A chat API on loopback that wants a key, and a small project that asks it."""

import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
VARIABLE = "PAID_API_KEY"

PARAMS = """
run: [{suite}]
suites:
  {suite}:
    dataset: tiny
    task: label
    prompts: [tiny/v1, tiny/v2]
    models: [paid]
    metrics: [label_accuracy]
    baseline: {{model: paid, prompt: tiny/v1}}
    rules:
      - {{metric: label_accuracy, at_least: 0.1}}
models:
  paid:
    kind: openai
    model: paid-1
    base_url: '{url}'
    key: PAID_API_KEY
    sampling: {{max_tokens: 8}}
    price: {{input_per_mtok_usd: 1.0, output_per_mtok_usd: 2.0}}
generate: {{concurrency: 8, attempts: 2}}
publish: {{experiment: tiny}}
"""
CARD = """
name: tiny
description: Messages that name their own label.
licence: Apache-2.0
files:
  - path: eval.jsonl
fields: {id: id, inputs: [message], target: label}
labels: [delivery, returns]
"""


class Sent(NamedTuple):
    """What the API sends back: bytes as they are, anything else as JSON."""

    status: int
    body: Any
    headers: dict[str, str] = {}


class Asked(NamedTuple):
    """What reached the API; header names in lower case."""

    path: str
    headers: dict[str, str]
    body: Any

    @property
    def text(self) -> str:
        """What was said last."""
        return str(self.body["messages"][-1]["content"])


Answer = Callable[[Asked], Sent]


def completion(asked: Asked) -> Sent:
    """Answer with the first label that the message names."""
    text = next((label for label in ("delivery", "returns") if label in asked.text), "neither")
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 20, "completion_tokens": 2, "total_tokens": 22, "details": {"cached": 3}}
    return Sent(200, {"id": "c", "object": "chat.completion", "model": "paid-1-2026", "choices": [choice], "usage": usage})  # fmt: skip


class PaidApi(ThreadingHTTPServer):
    """Answers as ``answer`` says after ``delay_s``, and remembers what it was asked."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, answer: Answer = completion, delay_s: float = 0.0) -> None:
        self.answer, self.delay_s, self.asked = answer, delay_s, list[Asked]()
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}/v1"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: the clients of some tests are killed."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: PaidApi

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        asked = Asked(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
        self.server.asked.append(asked)
        sent = self.server.answer(asked)
        time.sleep(self.server.delay_s)
        content = sent.body if isinstance(sent.body, bytes) else json.dumps(sent.body).encode()
        self.send_response(sent.status)
        headers = {"content-type": "application/json", "content-length": str(len(content)), **sent.headers}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *words: Any) -> None:
        """Say nothing."""


@contextmanager
def serving(api: PaidApi) -> Iterator[PaidApi]:
    thread = threading.Thread(target=api.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        api.shutdown()
        thread.join()
        api.server_close()


def write_project(folder: Path, url: str, examples: int, suite: str = "tiny") -> None:
    """Write a project of one suite that asks the API's model each example through two prompts."""
    shutil.copytree(ROOT / "data" / "expectations", folder / "data" / "expectations")
    for name in ("apps", "models", "baselines", "certificates", "data/sets/tiny", "prompts/tiny"):
        (folder / name).mkdir(parents=True)
    (folder / "params.yaml").write_text(PARAMS.format(url=url, suite=suite), encoding="utf-8")
    (folder / "data/sets/tiny/card.yaml").write_text(CARD, encoding="utf-8")
    rows = [
        {"id": f"t-{n}", "label": label, "message": f"질문 {n}: {label}, please"}
        for n, label in _labels(examples)
    ]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (folder / "data/sets/tiny/eval.jsonl").write_text(lines, encoding="utf-8")
    for version, words in (("v1", "{{ message }}"), ("v2", "Which team? {{ message }}")):
        prompt = f"description: {version}\nmessages:\n  - role: user\n    content: '{words}'\n"
        (folder / f"prompts/tiny/{version}.yaml").write_text(prompt, encoding="utf-8")


def _labels(count: int) -> Iterator[tuple[int, str]]:
    return ((n, ("delivery", "returns")[n % 2]) for n in range(count))
