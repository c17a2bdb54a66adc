"""Models examined: a real llama.cpp server, one that refuses, one that is not there, one that nods to anything."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from llmops.cli import main
from llmops.probes.ramp import LEVELS, enough

ROOT = Path(__file__).resolve().parent.parent
LLAMACPP = """
import sys, time, xllamacpp
p = xllamacpp.CommonParams()
p.model.path, p.hostnames, p.port, p.verbosity = sys.argv[1], ["127.0.0.1"], 0, -1
p.n_ctx, p.n_parallel = 4 * 512, 4
server = xllamacpp.Server(p)
print(server.listening_address, flush=True)
time.sleep(600)
"""
KEY = "sk-a-key-that-is-secret"
SUITE = """
suites:
  support:
    dataset: support
    task: {task}
    prompts: [support/v2]
    models: [m]
    metrics: [{metric}]
"""
Answer = Callable[[str, dict[str, str], dict[str, Any]], tuple[int, Any]]
"""(path, headers, body) → status and what is sent."""


@contextmanager
def serving(answer: Answer, sent: dict[str, str] | None = None) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("content-length", 0))
            body = json.loads(self.rfile.read(length)) if length else {}
            status, told = answer(
                self.path, {name.lower(): value for name, value in self.headers.items()}, body
            )
            content = json.dumps(told).encode()
            self.send_response(status)
            for name, value in {"content-type": "application/json", **(sent or {})}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST

        def log_message(self, format: str, *args: object) -> None:  # silent
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def examine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, dict[str, Any]]]:
    """Examine a model of the given settings; returns the exit code and its report."""

    def run(
        model: dict[str, Any], suite: str = "", *, files: tuple[str, ...] = ()
    ) -> tuple[int, dict[str, Any]]:
        for name in ("prompts", "data/sets/support", *files):
            place = tmp_path / name
            place.parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, place)
        (tmp_path / "params.yaml").write_text(
            f"{suite}\nmodels: {{m: {json.dumps(model)}}}\n", encoding="utf-8"
        )
        code = 0
        try:
            main(["--root", str(tmp_path), "doctor", "m", "--json"])
        except SystemExit as ended:
            code = int(str(ended.code))
        told = capsys.readouterr()
        assert KEY not in told.out + told.err
        [report] = json.loads(told.out)
        assert report["exit_code"] == code
        return code, report

    return run


def marks(report: dict[str, Any]) -> dict[str, bool | None]:
    return {finding["check"]: finding["good"] for finding in report["findings"]}


def said(report: dict[str, Any], check: str) -> str:
    return next(str(finding["says"]) for finding in report["findings"] if finding["check"] == check)


@pytest.fixture
def llamacpp() -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", LLAMACPP, str(ROOT / "models" / "demo-small.gguf")],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    yield process.stdout.readline().strip()
    process.kill()
    process.communicate()


def test_a_real_server_is_known_by_what_it_does(llamacpp: str, examine: Any) -> None:
    model = {"kind": "openai", "model": "demo", "base_url": f"{llamacpp}/v1", "sampling": {"max_tokens": 16}}
    code, report = examine(model, SUITE.format(task="label", metric="label_accuracy"))
    found = marks(report)
    assert code == 0
    heeded = {"answers", "key", "usage", "context", "system message", "max_tokens", "stop", "logprobs",
        "top_logprobs", "json schema", "json_object", "streaming", "streamed usage"}  # fmt: skip
    assert {check for check in heeded if found[check] is not True} == set()
    assert (found["model"], found["price"], found["rate limit"]) == (None, None, None)
    assert found["tools"] is not True
    assert found["seed"] is not False
    assert said(report, "context") == "512 tokens (n_ctx in the list of models)"
    assert 0 < report["calls"] <= 31
    assert report["cost_usd"] is None
    assert set(report["suggests"]) <= {"concurrency"}


def test_what_a_suite_rests_on_and_does_not_get_is_missing(llamacpp: str, examine: Any) -> None:
    model = {"kind": "openai", "model": "demo", "base_url": f"{llamacpp}/v1"}
    code, report = examine(model, SUITE.format(task="likelihood_label", metric="choice_accuracy"))
    missing = [finding for finding in report["findings"] if finding["good"] is False and finding["needed_by"]]
    assert [(each["check"], each["needed_by"]) for each in missing] == [("weighing", ["suite support"])]
    assert code == 1


def test_the_embedded_demo_model_is_all_right(examine: Any) -> None:
    file = "models/demo-small.gguf"
    model = {"kind": "llamacpp", "file": file, "sampling": {"max_tokens": 12, "seed": 1}, "slots": 1}
    suite = SUITE.format(task="likelihood_label", metric="choice_accuracy")
    code, report = examine(model, suite, files=(file,))
    found = marks(report)
    assert {check for check, good in found.items() if good is not True} <= {"price", "seed"}
    assert (found["weighing"], found["system message"], found["price"]) == (True, True, None)
    assert code == 0


def test_a_server_that_refuses_the_key_cannot_be_asked_and_the_key_is_not_shown(
    examine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(path: str, headers: dict[str, str], body: dict[str, Any]) -> tuple[int, Any]:
        return 401, {"error": {"message": f"Incorrect API key provided: {headers['authorization']}"}}

    monkeypatch.setenv("DOCTORS_KEY", KEY)
    with serving(refusing) as url:
        model = {"kind": "openai", "model": "demo", "base_url": f"{url}/v1", "key": "DOCTORS_KEY"}
        code, report = examine(model)
    assert (code, report["calls"]) == (2, 1)
    assert "refuses the key in DOCTORS_KEY" in said(report, "answers")


def test_a_key_that_is_not_set_is_told_without_asking(examine: Any) -> None:
    model = {"kind": "openai", "model": "demo", "base_url": "http://127.0.0.1:9/v1", "key": "DOCTORS_UNSET"}
    code, report = examine(model)
    assert (code, report["calls"]) == (2, 0)
    assert "DOCTORS_UNSET is not set" in said(report, "opens")


def test_a_server_that_is_not_there_cannot_be_asked(examine: Any) -> None:
    model = {"kind": "openai", "model": "demo", "base_url": "http://127.0.0.1:9/v1"}
    code, report = examine(model)
    assert code == 2
    assert said(report, "answers") == "http://127.0.0.1:9/v1: unreachable: no connection to the server"


def nodding(path: str, headers: dict[str, str], body: dict[str, Any]) -> tuple[int, Any]:
    """Answer as LM Studio did: 200 to any path, any model, any field, most of which it ignores."""
    if path != "/v1/chat/completions":
        return 200, {"error": f"Unexpected endpoint or method. ({path})"}
    message = {"role": "assistant", "content": "Hello there, how are you?"}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 9, "completion_tokens": 7, "total_tokens": 16}
    return 200, {"object": "chat.completion", "model": "loaded", "choices": [choice], "usage": usage}


def test_a_server_that_nods_to_anything_is_seen_through(examine: Any) -> None:
    with serving(nodding) as url:
        sampling = {"max_tokens": 16, "logprobs": True, "seed": 1, "stop": ["\n"]}
        model = {"kind": "openai", "model": "demo", "base_url": f"{url}/v1", "sampling": sampling}
        code, report = examine(model)
    found = marks(report)
    ignored = ("max_tokens", "stop", "logprobs", "json schema", "json_object", "tools", "streaming")
    assert {check: found[check] for check in (*ignored, "system message")} == dict.fromkeys(
        (*ignored, "system message"), False
    )
    assert (found["model"], found["seed"], found["context"]) == (None, None, None)
    needing = {each["check"]: each["needed_by"] for each in report["findings"] if each["needed_by"]}
    assert needing == {check: ["sampling of m"] for check in ("max_tokens", "stop", "logprobs", "seed")}
    assert code == 1


def test_a_model_that_runs_ask_in_batches_is_asked_directly_which_is_said(examine: Any) -> None:
    paths = list[str]()

    def noting(path: str, headers: dict[str, str], body: dict[str, Any]) -> tuple[int, Any]:
        paths.append(path)
        return nodding(path, headers, body)

    with serving(noting) as url:
        code, report = examine({"kind": "openai", "model": "demo", "base_url": f"{url}/v1", "mode": "batch"})
    found = marks(report)
    assert (code, found["answers"], found["batch"]) == (0, True, None)
    assert "asked directly, of the same server with the same key" in said(report, "batch")
    assert paths
    assert not [path for path in paths if "batches" in path or "files" in path]


def test_an_address_without_its_v1_gives_no_answer(examine: Any) -> None:
    with serving(nodding) as url:
        code, report = examine({"kind": "openai", "model": "demo", "base_url": url})
    assert (code, report["calls"]) == (2, 1)
    assert "Unexpected endpoint" in said(report, "answers")


def strict(path: str, headers: dict[str, str], body: dict[str, Any]) -> tuple[int, Any]:
    """Answer as a server that counts, draws by the seed, caps by one field, and knows its models."""
    if path == "/v1/models":
        return 200, {"object": "list", "data": [{"id": "demo", "max_model_len": 8192}]}
    if body["model"] != "demo":
        return 404, {"error": {"message": f"The model `{body['model']}` does not exist."}}
    if "max_tokens" in body:
        return 400, {"error": {"message": "Unsupported parameter: 'max_tokens'"}}
    words = f"apple Paris {body.get('seed', 0)}".split()
    cut = words[: body.get("max_completion_tokens", 99)]
    told = {"role": "assistant", "content": " ".join(cut)}
    ended = "stop" if cut == words else "length"
    given = sum(len(message["content"].split()) for message in body["messages"])
    return 200, {
        "model": "demo",
        "choices": [{"index": 0, "message": told, "finish_reason": ended}],
        "usage": {"prompt_tokens": given, "completion_tokens": len(cut), "total_tokens": given + len(cut)},
    }


def test_the_field_that_caps_the_seed_the_context_and_the_limits_are_found_out(examine: Any) -> None:
    limits = {f"x-ratelimit-{what}-requests": value for what, value in
              {"limit": "600", "remaining": "590", "reset": "1s"}.items()}  # fmt: skip
    with serving(strict, limits) as url:
        model = {"kind": "openai", "model": "demo", "base_url": f"{url}/v1",
            "max_tokens_field": "max_completion_tokens", "sampling": {"max_tokens": 9},
            "price": {"input_per_mtok_usd": 1.0, "output_per_mtok_usd": 2.0}}  # fmt: skip
        code, report = examine(model)
    found = marks(report)
    assert code == 0
    good = ("model", "seed", "max_tokens", "context", "price", "rate limit", "system message")
    assert {check: found[check] for check in good} == dict.fromkeys(good, True)
    assert (
        said(report, "max_tokens") == "the cap holds as max_completion_tokens; max_completion_tokens is sent"
    )
    assert said(report, "context") == "8,192 tokens (max_model_len in the list of models)"
    assert "600 requests" in said(report, "rate limit")
    assert report["cost_usd"] > 0


def test_another_field_is_suggested_where_the_one_that_is_sent_caps_nothing(examine: Any) -> None:
    def deaf(path: str, headers: dict[str, str], body: dict[str, Any]) -> tuple[int, Any]:
        body.pop("max_tokens", None)
        return strict(path, headers, body)

    with serving(deaf) as url:
        model = {"kind": "openai", "model": "demo", "base_url": f"{url}/v1", "sampling": {"max_tokens": 9}}
        code, report = examine(model)
    assert report["suggests"]["max_tokens_field"] == "max_completion_tokens"
    assert code == 1


def test_recorded_answers_are_counted_against_the_suites_examples(examine: Any, tmp_path: Path) -> None:
    (tmp_path / "results" / "support").mkdir(parents=True)
    rows = [{"id": f"support-{n:04}", "inputs": {"message": "hi"}, "target": "x"} for n in (1, 2, 9999)]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "results" / "support" / "examples.jsonl").write_text(lines, encoding="utf-8")
    model = {"kind": "recorded", "file": "data/sets/support/eval.jsonl", "answer": "intent"}
    code, report = examine(model, SUITE.format(task="label", metric="label_accuracy"))
    assert said(report, "matched in support") == "2 of 3 examples have an answer (66.7%)"
    assert (code, report["cost_usd"]) == (1, 0.0)


def test_an_application_is_tried_on_its_first_example(examine: Any, tmp_path: Path) -> None:
    (tmp_path / "apps").mkdir()
    (tmp_path / "apps" / "a.py").write_text(
        "def answer(inputs, messages):\n    return inputs['message'].upper()\n", encoding="utf-8"
    )
    model = {"kind": "python", "file": "apps/a.py", "function": "answer"}
    suite = SUITE.format(task="label", metric="label_accuracy")
    code, report = examine(model, suite)
    assert (marks(report)["answers"], code) == (None, 2)
    assert "run `llmops fetch` and `llmops validate support` first" in said(report, "answers")


def test_the_least_concurrency_that_is_nearly_as_fast_is_suggested() -> None:
    flat = enough(dict.fromkeys(LEVELS, 10.0))
    rising = enough({level: 10.0 * level for level in LEVELS})
    bent = enough({1: 10.0, 2: 19.0, 4: 30.0, 8: 31.0})
    assert flat.suggests == {"concurrency": 1}
    assert rising.suggests == {}
    assert bent.suggests == {"concurrency": 4}
