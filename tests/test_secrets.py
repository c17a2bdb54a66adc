"""A planted key: nothing that a whole pipeline writes, prints or logs holds it, in any usual form."""

import asyncio
import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from llmops.errors import WorldError
from llmops.models.batches.batch import Batch
from llmops.models.batches.collecting import read_results
from llmops.models.batches.rows import read_row
from llmops.models.protocol.address import Address, explained
from llmops.replies import Reply
from tests.paid_api import ROOT, VARIABLE, Asked, PaidApi, Sent, completion, serving, write_project

KEY = "sk-planted+7fQ/é".replace("é", "x") + "Zt0pS3cretValue=="
"""Of characters that addresses, JSON and base64 would each write otherwise."""


def forms(key: str) -> Iterator[bytes]:
    """Yield the key as it might be written, and as base64 would hold it behind any other bytes."""
    yield key.encode()
    yield quote(key, safe="").encode()
    yield quote(key).encode()
    yield key[: len(key) // 2].encode()
    yield key.replace("/", "\\/").encode()
    yield key.encode().hex().encode()
    yield key.encode("utf-16-le")
    for before in ("", "x", "xx"):
        whole = base64.b64encode(f"{before}{key}xx".encode())
        yield whole[4:-8]
        yield whole[4:-8].replace(b"+", b"-").replace(b"/", b"_")


def holding(folder: Path, key: str) -> list[str]:
    """Return the files below a folder that hold the key in some form."""
    wanted = list(forms(key))
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [str(path) for path in files if any(form in path.read_bytes() for form in wanted)]


def echoing(asked: Asked) -> Sent:
    """Answer, or refuse with the very header that came."""
    said = f"rejected: {asked.headers['authorization']}"
    if "질문 3:" in asked.text:
        return Sent(400, {"error": {"message": said, "code": said}})
    if "질문 5:" in asked.text:
        return Sent(500, {"error": said})
    if "질문 6:" in asked.text:
        return Sent(400, {"detail": {"header": asked.headers["authorization"], "encoded": quote(KEY)}})
    return completion(asked)


def cutting(asked: Asked) -> Sent:
    """Refuse with so long a message that it is cut in the middle of the key."""
    return Sent(400, {"error": {"message": "x" * 480 + KEY}})


def refusing(asked: Asked) -> Sent:
    return Sent(401, {"error": {"message": f"Incorrect API key provided: {KEY}", "code": "invalid_api_key"}})


def redirecting(asked: Asked) -> Sent:
    return Sent(307, {"see": KEY}, {"location": f"http://127.0.0.1:9/v1?key={quote(KEY)}"})


ECHOES = b"y" * 30 + f"{KEY}-".encode() * 40
"""A text that goes through a key wherever it is cut at a round number."""
EVENTS = {"content-type": "text/event-stream"}


def babbling(asked: Asked) -> Sent:
    return Sent(200, ECHOES)


def streaming_babble(asked: Asked) -> Sent:
    return Sent(200, b"data: " + ECHOES + b"\n\n", EVENTS)


def streaming_an_error(asked: Asked) -> Sent:
    return Sent(200, b"event: error\ndata: " + ECHOES + b"\n\n", EVENTS)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def run(project: Path, *words: str, code: int | None = 0, key: str | None = KEY) -> None:
    """Run a command with the key in its environment, and keep what it printed beside the project."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_TRACKING")
    }
    environment |= {"LLMOPS_STATE": str(project / "state"), "PYTHONPATH": str(ROOT)}
    if key is not None:
        environment[VARIABLE] = key
    done = subprocess.run([sys.executable, "-m", *words], cwd=project, env=environment, capture_output=True)
    with (project.parent / "printed.txt").open("ab") as printed:
        printed.write(b"\n".join([repr(words).encode(), done.stdout, done.stderr]))
    assert code is None or done.returncode == code, done.stdout.decode() + done.stderr.decode()


@pytest.mark.slow
def test_a_planted_key_is_in_nothing_that_a_pipeline_writes(project: Path) -> None:
    with serving(PaidApi(echoing)) as api:
        write_project(project, api.url, 12)
        shutil.copyfile(ROOT / "dvc.yaml", project / "dvc.yaml")
        shutil.copytree(ROOT / "llmops", project / "llmops", ignore=shutil.ignore_patterns("__pycache__"))
        params = project / "params.yaml"
        params.write_text(
            params.read_text(encoding="utf-8") + "compare: {}\njudges: {}\njudge: {}\ncertify: {}\n",
            encoding="utf-8",
        )
        (project / "data" / "labels").mkdir()
        for name in ("apps", "models", "baselines", "certificates"):
            (project / name / "README.md").touch()
        subprocess.run(["git", "init", "-q"], cwd=project, check=True)
        run(project, "dvc", "init", "-q")
        run(project, "dvc", "repro", "-v")
        assert any(asked.headers["authorization"] == f"Bearer {KEY}" for asked in api.asked)
        run(project, "llmops", "gate", "--check", code=None)
        run(project, "llmops", "run", "tiny")
        run(project, "llmops", "record", "tiny", "-o", "models/tiny.jsonl")
        run(project, "dvc", "add", "-q", "models/tiny.jsonl")
        run(project, "llmops", "replay", "models/tiny.jsonl", key=None)
        run(project, "llmops", "verify", "tiny", code=None)
        run(project, "llmops", "store")
    answers = (project / "results/tiny/responses.jsonl").read_text(encoding="utf-8")
    assert answers.count("rejected: Bearer …") == 8  # in the turn and in the error of two questions, twice
    assert (project / "state/mlflow.db").stat().st_size > 0
    assert (project / "state/store.db").stat().st_size > 0
    assert holding(project.parent, KEY) == []


@pytest.mark.parametrize(
    ("answer", "streams"),
    [
        (refusing, False), (redirecting, False), (cutting, False), (babbling, False), (babbling, True),
        (streaming_babble, True), (streaming_an_error, True),
    ],
)  # fmt: skip
def test_a_key_is_in_no_error_that_stops_a_run_or_is_an_examples(
    answer, streams: bool, project: Path
) -> None:
    with serving(PaidApi(answer)) as api:
        write_project(project, api.url, 4)
        if streams:
            params = project / "params.yaml"
            text = params.read_text(encoding="utf-8").replace(
                "{max_tokens: 8}", "{max_tokens: 8, stream: true}"
            )
            params.write_text(text, encoding="utf-8")
        run(project, "llmops", "fetch")
        run(project, "llmops", "validate", "tiny")
        run(project, "llmops", "generate", "tiny", code=None)
        assert api.asked
    told = (project.parent / "printed.txt").read_text(encoding="utf-8")
    rows = project / "results/tiny/responses.jsonl"
    assert "models.paid: " in told or "…" in rows.read_text(encoding="utf-8")
    assert holding(project.parent, KEY) == []


def spoken(fault: WorldError) -> WorldError:
    return explained(fault, Address("paid", "m", "https://api.example/v1", VARIABLE, KEY))


@pytest.mark.parametrize("status", [None, 400, "no number"])
def test_a_key_is_in_no_error_of_a_batchs_row(status, tmp_path: Path) -> None:
    echoed = {"code": "x", "message": ECHOES.decode()}
    told = (
        {"error": echoed}
        if status is None
        else {"response": {"status_code": status, "body": {"error": echoed}}}
    )
    try:
        said = str(
            spoken(
                read_row(json.dumps({"custom_id": "k", **told}).encode(), lambda key, body: Reply()).outcome
            )
        )
    except ValueError as problem:
        said = str(problem)
    (tmp_path / "said").write_text(said, encoding="utf-8")
    assert holding(tmp_path, KEY) == []


def test_a_key_is_in_no_reason_of_a_batch_that_was_refused(tmp_path: Path) -> None:
    class Endpoints:
        spoken = staticmethod(spoken)

    batch = Batch("b", "failed", 1, 0, 1, (), (("invalid", ECHOES.decode()),))
    results = asyncio.run(read_results(Endpoints, batch, {"k": None}))
    (tmp_path / "said").write_text(str(results.rows["k"].outcome), encoding="utf-8")
    assert holding(tmp_path, KEY) == []


def test_a_key_that_is_set_where_a_name_belongs_is_not_repeated(project: Path) -> None:
    write_project(project, "http://127.0.0.1:9/v1", 2)
    params = project / "params.yaml"
    text = params.read_text(encoding="utf-8")
    params.write_text(text.replace("key: PAID_API_KEY", f"key: {KEY}"), encoding="utf-8")
    run(project, "llmops", "fetch")
    run(project, "llmops", "validate", "tiny")
    run(project, "llmops", "generate", "tiny", code=2)
    params.write_text(text, encoding="utf-8")
    assert holding(project.parent, KEY) == []


def test_the_search_finds_a_key_in_each_form(tmp_path: Path) -> None:
    for number, form in enumerate(forms(KEY)):
        (tmp_path / str(number)).write_bytes(b"before" + form + b"after")
    (tmp_path / "basic").write_bytes(base64.b64encode(f"user:{KEY}\n".encode()))
    assert len(holding(tmp_path, KEY)) == len(list(forms(KEY))) + 1
