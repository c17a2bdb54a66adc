"""One published run as MLflow keeps it: its numbers, its tags, its files."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from llmops.errors import UserError
from llmops.record import Record
from llmops.tracking.client import connect, failures, sqlite_file

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

OURS = "tags.suite LIKE '%' AND tags.model LIKE '%' AND tags.prompt LIKE '%'"
SHOWN = 5
"""Runs that an ambiguous beginning is answered with."""


class LoggedRun(Record, frozen=True, kw_only=True):
    """A published run."""

    run_id: str
    name: str
    suite: str
    model: str
    prompt: str
    tags: dict[str, str]
    params: dict[str, str]
    metrics: dict[str, float]


def find(uri: str, wanted: str) -> LoggedRun | None:
    """Return the run of that id or beginning of an id, else the newest of that name, in any experiment.

    Raises:
        UserError: the beginning is that of several runs, or MLflow cannot be reached.
    """
    file = sqlite_file(uri)
    if file and not file.exists():
        return None  # looking would make the store
    client = connect(uri)
    with failures(uri):
        found = _by_id(client, wanted) or _by_name(client, wanted)
    if len(found) > 1:
        ids = [run.info.run_id[:12] for run in found[:SHOWN]]
        raise UserError(f"{wanted}: is the beginning of several runs' ids, {ids}; give more of it")
    return _logged(found[0]) if found else None


def _by_id(client: "MlflowClient", wanted: str) -> "list[Run]":
    if not re.fullmatch(r"[0-9a-f]{1,32}", wanted):
        return []
    return _search(client, f"attributes.run_id LIKE '{wanted}%'", SHOWN + 1)


def _by_name(client: "MlflowClient", wanted: str) -> "list[Run]":
    quote = "'" if "'" not in wanted else '"'
    if quote in wanted:
        return []  # MLflow's filters have no way to write both quotes
    return _search(client, f"attributes.run_name = {quote}{wanted}{quote}", 1)


def _search(client: "MlflowClient", condition: str, most: int) -> "list[Run]":
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    newest = ["attributes.start_time DESC"]
    return list(client.search_runs(experiments, f"{condition} AND {OURS}", max_results=most, order_by=newest))


def numbers(uri: str, run_ids: Iterable[str]) -> list[LoggedRun]:
    """Return runs by their ids.

    Raises:
        UserError: one is not there, or MLflow cannot be reached.
    """
    client = connect(uri)
    with failures(uri):
        return [_logged(client.get_run(run_id)) for run_id in run_ids]


def download(uri: str, run_id: str, folder: Path) -> None:
    """Copy all files of a run into a folder.

    Raises:
        UserError: they cannot be read.
    """
    client = connect(uri)
    with failures(uri):
        client.download_artifacts(run_id, "", str(folder))


def _logged(run: "Run") -> LoggedRun:
    tags = run.data.tags
    return LoggedRun(
        run_id=run.info.run_id,
        name=run.info.run_name,
        suite=tags["suite"],
        model=tags["model"],
        prompt=tags["prompt"],
        tags={name: value for name, value in tags.items() if not name.startswith("mlflow.")},
        params=dict(run.data.params),
        metrics=dict(run.data.metrics),
    )
