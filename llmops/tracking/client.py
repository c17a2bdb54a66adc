"""The connection to MLflow: where its store is, reached quickly, quietly and without telemetry."""

import contextlib
import logging
import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmops.errors import UserError

if TYPE_CHECKING:
    from mlflow import MlflowClient

VARIABLE = "MLFLOW_TRACKING_URI"
SQLITE = "sqlite:///"
REACH_S = 10
"""Seconds that a tracking server may take to answer for the first time."""
LOCK_S = 120
"""Seconds to wait while another process makes the store."""

SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}
"""What MLflow reads from the environment, unless the user has set it."""


def tracking_uri(state: Path) -> str:
    """Return ``MLFLOW_TRACKING_URI`` when it is set, else the SQLite store in the state folder."""
    return os.environ.get(VARIABLE) or f"{SQLITE}{(state.resolve() / 'mlflow.db').as_posix()}"


def shown(uri: str) -> str:
    """Return the URI without the user and password that it may hold."""
    return re.sub(r"//[^/@]*@", "//", uri)


def sqlite_file(uri: str) -> Path | None:
    """Return the database's file when the store is SQLite."""
    return Path(uri.removeprefix(SQLITE)).resolve() if uri.startswith(SQLITE) else None


def connect(uri: str) -> "MlflowClient":
    """Return a client of the store, whose tables are made when it is new (2 s, once).

    Raises:
        UserError: nothing answers there, or it is no MLflow store.
    """
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    with failures(uri):
        from mlflow import MlflowClient

        for noisy in ("mlflow", "urllib3.connectionpool"):
            logging.getLogger(noisy).setLevel(logging.ERROR)
        if file := sqlite_file(uri):
            _see_to_database(file)
        if uri.startswith(("http://", "https://")):
            _check_server(uri)
        return MlflowClient(tracking_uri=uri)


def artifacts(file: Path) -> str:
    """Return where the files of a SQLite store's runs go: the folder ``mlartifacts`` beside it."""
    return (file.parent / "mlartifacts").as_uri()


def _see_to_database(file: Path) -> None:
    """Make the store's tables if there are none, so that a store is either whole or not there.

    MLflow makes them in hundreds of steps: two processes at it at once, or one that is killed,
    leave a file that nothing opens again. So one at a time makes it under another name.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with _alone(file.with_name(f".{file.name}.lock")):
        if file.exists() and file.stat().st_size:
            _check_database(file)
        else:
            _make_database(file)


@contextlib.contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Wait until no other process is in here; the system ends the wait when that process dies."""
    with contextlib.closing(sqlite3.connect(lock, timeout=LOCK_S)) as waiting:
        waiting.execute("BEGIN EXCLUSIVE")
        yield


def _check_database(file: Path) -> None:
    """Read the file once, because MLflow itself would try for a minute."""
    with contextlib.closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA schema_version")


def _make_database(file: Path) -> None:
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    draft = file.with_name(f".{file.name}.part")
    draft.unlink(missing_ok=True)
    make: Callable[[str, str], Any] = SqlAlchemyStore
    store = make(f"{SQLITE}{draft.as_posix()}", artifacts(file))
    store.engine.dispose()
    draft.replace(file)


def _check_server(uri: str) -> None:
    """Ask once, because MLflow's own calls wait between many tries; any answer will do."""
    from mlflow.exceptions import MlflowException
    from mlflow.utils.credentials import get_default_host_creds
    from mlflow.utils.rest_utils import http_request

    ask: Callable[..., object] = http_request
    credentials: Callable[[str], object] = get_default_host_creds
    try:
        ask(credentials(uri), "/health", "GET", max_retries=0, timeout=REACH_S, raise_on_status=False)
    except MlflowException:
        raise UserError(
            f"{VARIABLE}: nothing answers at {shown(uri)!r}; "
            f"start that server, or unset {VARIABLE} to use the project's own store"
        ) from None


@contextlib.contextmanager
def failures(uri: str) -> Iterator[None]:
    """Turn what MLflow, its database, its server or its files refuse into one line that names the store."""
    try:
        yield
    except Exception as problem:
        if not _is_the_stores(problem):
            raise
        line = f"MLflow at {shown(uri)!r}: {_first_line(problem)}; mend that and try again"
        raise UserError(line) from problem


def _is_the_stores(problem: Exception) -> bool:
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    return isinstance(problem, MlflowException | SQLAlchemyError | sqlite3.Error | OSError)


def _first_line(problem: Exception) -> str:
    text = str(problem).strip() or type(problem).__name__
    return shown(text.splitlines()[0])[:300]
