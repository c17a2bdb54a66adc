"""Two real stores, a SQLite file and a server on loopback, each with the same runs published once."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from llmops.tracking.client import connect
from llmops.tracking.publish import Published, RunRecord, publish
from tests.tracking.samples import record

START_S = 90


class Store(NamedTuple):
    """A store and what was published there."""

    uri: str
    experiment: str
    runs: list[Published]
    records: list[RunRecord]
    said: list[str]

    @property
    def client(self):
        return connect(self.uri)

    def run(self, number: int):
        return self.client.get_run(self.runs[number].run_id)

    def traces(self, number: int):
        """Return the run's traces by example id."""
        run = self.runs[number]
        found = self.client.search_traces(locations=[run.experiment_id], run_id=run.run_id, max_results=100)
        return {trace.info.tags["example"]: trace for trace in found}


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a SQLite store with tables and nothing in them: making one takes seconds."""
    file = tmp_path_factory.mktemp("empty") / "mlflow.db"
    connect(f"sqlite:///{file}")
    return file


@pytest.fixture
def fresh(empty_store: Path, tmp_path: Path) -> str:
    """Return the address of a store of the test's own."""
    state = tmp_path / "상태 folder"
    state.mkdir()
    shutil.copy(empty_store, state / "mlflow.db")
    return f"sqlite:///{state / 'mlflow.db'}"


class Server(NamedTuple):
    """A server that may still be starting."""

    address: str
    process: subprocess.Popen
    log: Path


@pytest.fixture(scope="session")
def starting(empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start a tracking server, which takes ten seconds: the tests on SQLite need not wait for it."""
    folder = tmp_path_factory.mktemp("server")
    shutil.copy(empty_store, folder / "mlflow.db")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = [
        sys.executable,
        "-m",
        "mlflow",
        "server",
        "--host",
        "127.0.0.1",
        "--port",
        port,
        "--workers",
        "1",
    ]
    stores = ["--backend-store-uri", "sqlite:///mlflow.db", "--artifacts-destination", "files"]
    quiet = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, *stores],
            env=os.environ | quiet,
            stdout=log,
            stderr=log,
            cwd=folder,
            start_new_session=True,
        )
    yield Server(f"http://127.0.0.1:{port}", process, folder / "log")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.fixture(scope="session")
def server(starting: Server) -> str:
    """Return the address of a tracking server that answers."""
    until = time.monotonic() + START_S
    while time.monotonic() < until and starting.process.poll() is None:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"{starting.address}/health", timeout=1).close()  # noqa: S310 - loopback
            return starting.address
        time.sleep(0.1)
    raise RuntimeError(f"the server did not start:\n{starting.log.read_text(encoding='utf-8')}")


@pytest.fixture(scope="session", params=["sqlite", "server"])
def store(
    request: pytest.FixtureRequest,
    empty_store: Path,
    starting: Server,
    tmp_path_factory: pytest.TempPathFactory,
) -> Store:
    """Return a store in which two runs of one prompt were published, the first with a failed gate."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "server":
        uri = request.getfixturevalue("server")
    else:
        uri = f"sqlite:///{shutil.copy(empty_store, folder / 'mlflow.db')}"
    said: list[str] = []
    records = [record(folder), record(folder, model="다른 모델", traced=[], verdicts=[])]
    return Store(uri, "지원 suite", publish(uri, "지원 suite", records, said.append), records, said)
