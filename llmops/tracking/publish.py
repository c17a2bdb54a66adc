"""Suite × model × prompt to an MLflow run: numbers, verdicts, inputs, files and traces."""

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from llmops.record import Record
from llmops.records import Estimate, Ranked, Verdict
from llmops.rules import worst
from llmops.tracking.client import artifacts, connect, failures, shown, sqlite_file
from llmops.tracking.figures import metrics, not_known, not_ranked, ranking_metrics
from llmops.tracking.inputs import DataSet, PromptText, dataset_input, links, registered
from llmops.tracking.traces import Home, Traced, log_traces

if TYPE_CHECKING:
    from mlflow import MlflowClient

VERDICTS = "verdicts.json"
LONGEST_TAG = 8000
"""Characters of a tag that MLflow keeps."""
PARAMS_A_BATCH = 100
METRICS_A_BATCH = 900


class RunRecord(Record, frozen=True, kw_only=True):
    """What is told to MLflow about one suite × model × prompt."""

    suite: str
    model: str
    prompt: str
    params: dict[str, str] = msgspec.field(default_factory=dict)
    estimates: list[Estimate] = msgspec.field(default_factory=list)
    verdicts: list[Verdict] = msgspec.field(default_factory=list)
    ranking: list[Ranked] = msgspec.field(default_factory=list)
    """Where pairwise judges put the run."""
    provenance: dict[str, str] = msgspec.field(default_factory=dict)
    """Tags that say what the run was made from: commit, hashes, model identity, versions."""
    text: PromptText | None = None
    dataset: DataSet | None = None
    artifacts: dict[str, list[Path]] = msgspec.field(default_factory=dict)
    """Folder in the run (``""`` is its root) → files."""
    traced: list[Traced] = msgspec.field(default_factory=list)
    """The answered examples that are shown as traces: a sample."""

    @property
    def name(self) -> str:
        """What the run is called."""
        return f"{self.suite} · {self.model} · {self.prompt}"


class Published(Record, frozen=True, kw_only=True):
    """Where a run is found."""

    name: str
    run_id: str
    experiment_id: str
    prompt_uri: str | None
    """``prompts:/<name>/<version>`` in the registry."""
    traces: int
    url: str | None
    """The run's page; None when the store is a file that has no server of its own."""


def publish(
    uri: str, experiment: str, runs: Iterable[RunRecord], say: Callable[[str], object]
) -> list[Published]:
    """Write a run for each record and return where they are; a gate that failed is written like any other.

    Args:
        say: takes a line about each run.

    Raises:
        UserError: MLflow cannot be reached or refuses something. The run it happened in is then
            marked FAILED; those before it stay.
    """
    client = connect(uri)
    with failures(uri):
        experiment_id = _experiment(client, uri, experiment)
    done = []
    for run in runs:
        with failures(uri):
            done.append(_publish(client, uri, experiment_id, run, say))
    return done


def _experiment(client: "MlflowClient", uri: str, name: str) -> str:
    from mlflow.exceptions import MlflowException

    if known := client.get_experiment_by_name(name):
        return str(known.experiment_id)
    file = sqlite_file(uri)
    try:
        return str(client.create_experiment(name, artifact_location=artifacts(file) if file else None))
    except MlflowException:
        # Another process may have made it between the question and the request.
        if made := client.get_experiment_by_name(name):
            return str(made.experiment_id)
        raise


def _publish(
    client: "MlflowClient", uri: str, experiment_id: str, run: RunRecord, say: Callable[[str], object]
) -> Published:
    begun = time.monotonic()
    with _run(client, experiment_id, run) as run_id:
        version = registered(client, run.text, experiment_id) if run.text else None
        _log_numbers(client, run_id, run, links(version))
        _log_inputs(client, run_id, run)
        _log_files(client, run_id, run)
        traces = log_traces(Home(uri, experiment_id, run_id, version), run.traced)
    say(f"{run.name}: gate {_gate(run)}, {len(traces)} traces, {time.monotonic() - begun:.1f} s")
    return Published(
        name=run.name,
        run_id=run_id,
        experiment_id=experiment_id,
        prompt_uri=f"prompts:/{version.name}/{version.version}" if version else None,
        traces=len(traces),
        url=_url(uri, experiment_id, run_id),
    )


@contextlib.contextmanager
def _run(client: "MlflowClient", experiment_id: str, run: RunRecord) -> Iterator[str]:
    """Open a run and close it as FINISHED, or as FAILED when anything at all stops it."""
    run_id: str = client.create_run(experiment_id, run_name=run.name, tags=_tags(run)).info.run_id
    try:
        yield run_id
        client.set_terminated(run_id, "FINISHED")
    except BaseException:
        with contextlib.suppress(Exception):  # the first problem is the one to tell
            client.set_terminated(run_id, "FAILED")
        raise


def _tags(run: RunRecord) -> dict[str, str]:
    own = {
        "suite": run.suite,
        "model": run.model,
        "prompt": run.prompt,
        "gate": _gate(run),
        "not_known": _cut("; ".join(filter(None, (not_known(run.estimates), not_ranked(run.ranking))))),
        "mlflow.note.content": _cut(_note(run.verdicts)),
        "mlflow.loggedArtifacts": '[{"path": "verdicts.json", "type": "table"}]' if run.verdicts else "",
    }
    return {**run.provenance, **{name: value for name, value in own.items() if value}}


def _gate(run: RunRecord) -> str:
    return worst(verdict.outcome for verdict in run.verdicts) or "none"


def _note(verdicts: Iterable[Verdict]) -> str:
    """Return the verdicts as the run's description, in Markdown."""
    return "\n".join(f"- **{v.outcome}** {v.rule}: {v.reason}" for v in verdicts)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_TAG else text[: LONGEST_TAG - 1] + "…"


def _log_numbers(client: "MlflowClient", run_id: str, run: RunRecord, tags: dict[str, str]) -> None:
    from mlflow.entities import Metric, Param, RunTag

    now = int(time.time() * 1000)
    known = metrics(run.estimates) | ranking_metrics(run.ranking)
    numbers = [Metric(name, value, now, 0) for name, value in known.items()]
    params = [Param(name, value) for name, value in run.params.items()]
    for start in range(0, len(numbers), METRICS_A_BATCH):
        client.log_batch(run_id, metrics=numbers[start : start + METRICS_A_BATCH])
    for start in range(0, len(params), PARAMS_A_BATCH):
        client.log_batch(run_id, params=params[start : start + PARAMS_A_BATCH])
    if tags:
        client.log_batch(run_id, tags=[RunTag(name, value) for name, value in tags.items()])


def _log_inputs(client: "MlflowClient", run_id: str, run: RunRecord) -> None:
    if run.dataset:
        client.log_inputs(run_id, datasets=[dataset_input(run.dataset)])


def _log_files(client: "MlflowClient", run_id: str, run: RunRecord) -> None:
    for folder, paths in run.artifacts.items():
        for path in paths:
            client.log_artifact(run_id, str(path), folder or None)
    if run.verdicts:
        client.log_text(run_id, _table(run.verdicts), VERDICTS)


def _table(verdicts: Sequence[Verdict]) -> str:
    """Return the verdicts as MLflow keeps a table; its own `log_table` goes a long way through pandas."""
    names = list(msgspec.structs.asdict(verdicts[0]))
    cells = [list(msgspec.structs.astuple(verdict)) for verdict in verdicts]
    return msgspec.json.encode({"columns": names, "data": cells}).decode()


def _url(uri: str, experiment_id: str, run_id: str) -> str | None:
    if not uri.startswith(("http://", "https://")):
        return None
    return f"{shown(uri).rstrip('/')}/#/experiments/{experiment_id}/runs/{run_id}"
