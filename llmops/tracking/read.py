"""Published runs as they come back from MLflow."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from llmops.record import Record
from llmops.records import OVERALL
from llmops.tracking.client import connect, failures, sqlite_file
from llmops.tracking.figures import Figure, figures

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

PAGE = 100
"""Runs that are asked for at once."""
COST = "cost_usd"
"""The metric that says what a run's answers cost."""


class RunSummary(Record, frozen=True, kw_only=True):
    """A published run and its numbers."""

    run_id: str
    name: str
    suite: str
    model: str
    prompt: str
    started: str
    """ISO 8601, UTC."""
    status: str
    """``FINISHED``, or ``FAILED`` when publishing stopped half-way."""
    gate: str
    """``pass``, ``fail``, ``inconclusive``, or ``none`` without rules."""
    figures: list[Figure]
    cost_usd: float | None
    """None when no price is known."""
    tags: dict[str, str]
    """The provenance, and what is not known under ``not_known``; MLflow's own tags are left out."""

    def figure(self, metric: str, cut: str = OVERALL) -> Figure | None:
        """Return a metric's numbers over one slice."""
        return next((f for f in self.figures if (f.metric, f.slice) == (metric, cut)), None)


def runs(uri: str, experiment: str, limit: int = 1000) -> list[RunSummary]:
    """Return the experiment's runs, newest first, at most ``limit``; none when nothing was published yet.

    Runs of other tools in the same experiment are left out.

    Raises:
        UserError: MLflow cannot be reached.
    """
    file = sqlite_file(uri)
    if file and not file.exists():
        return []  # looking would make the store
    client = connect(uri)
    with failures(uri):
        known = client.get_experiment_by_name(experiment)
        return [_summary(run) for run in _found(client, known.experiment_id, limit)] if known else []


def _found(client: "MlflowClient", experiment_id: str, limit: int) -> "Iterator[Run]":
    token = None
    while limit > 0:
        page = client.search_runs(
            [experiment_id],
            filter_string="tags.suite LIKE '%' AND tags.model LIKE '%' AND tags.prompt LIKE '%'",
            max_results=min(limit, PAGE),
            order_by=["attributes.start_time DESC"],
            page_token=token,
        )
        yield from page
        limit, token = limit - len(page), page.token
        if not token:
            return


def _summary(run: "Run") -> RunSummary:
    tags, numbers = run.data.tags, run.data.metrics
    return RunSummary(
        run_id=run.info.run_id,
        name=run.info.run_name,
        suite=tags["suite"],
        model=tags["model"],
        prompt=tags["prompt"],
        started=datetime.fromtimestamp(run.info.start_time / 1000, UTC).isoformat(timespec="seconds"),
        status=run.info.status,
        gate=tags.get("gate", "none"),
        figures=figures(numbers),
        cost_usd=numbers.get(COST),
        tags={name: value for name, value in tags.items() if not name.startswith("mlflow.")},
    )
