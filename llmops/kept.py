"""What was kept of a suite's runs: rows, settings and published numbers, from a folder or from MLflow."""

import contextlib
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from llmops import baseline, jsonl, manifest
from llmops.baseline import Reference
from llmops.cards.card import load_card
from llmops.cards.examples import labels
from llmops.comparing import Rows, Settings
from llmops.config import PARAMS, params, section
from llmops.errors import UserError
from llmops.labelling import LABELLED
from llmops.manifest import Manifest
from llmops.places import Places, newest, state_folder
from llmops.records import Estimate, Example, Judgement, Label, Ranked, Response, Score
from llmops.scores import measured
from llmops.suites import Suite, load_suite
from llmops.summary import Run
from llmops.tracking.client import tracking_uri
from llmops.tracking.logged import LoggedRun, download, find, numbers
from llmops.tracking.publish import Published


class Kept(NamedTuple):
    """One run, or all runs of a suite."""

    where: str
    name: str
    """The suite's."""
    suite: Suite
    settings: Settings
    labels: list[str]
    rows: Rows
    estimates: list[Estimate]
    baseline: Reference | None
    manifests: dict[Run, Manifest]
    logged: dict[Run, dict[str, float]]
    """The runs' metrics in MLflow."""
    notes: list[str]
    """What could not be read."""
    own_settings: bool
    """The settings were kept with the runs, and are not those of the project today."""
    judgements: Sequence[Judgement] = ()
    ranking: Sequence[Ranked] = ()
    """Of all runs; none where only some were kept."""
    beside: Sequence[Estimate] = ()
    """Those of the suite's other runs, among whose differences the q-values were told."""


def load(places: Places, wanted: str) -> Kept:
    """Return what ``wanted`` names.

    Args:
        wanted: an MLflow run's id, the beginning of one or a run's name; a folder of results or a
            suite, either followed by ``:model:prompt`` to take some of its runs, e.g.
            ``support:demo-small`` or ``runs/support::support/v1``.

    Raises:
        UserError: there is nothing of that name, or it cannot be read.
    """
    head, _, rest = wanted.partition(":")
    model, _, prompt = rest.partition(":")
    if folder := _folder(places.root, wanted):
        return _from_folder(places.root, folder)
    if folder := _folder(places.root, head):
        return only(_from_folder(places.root, folder), model, prompt)
    uri = tracking_uri(state_folder(places.root))
    if run := find(uri, wanted):
        return _from_mlflow(uri, run)
    known = sorted(params(places.root).get("suites") or {})
    raise UserError(
        f"{wanted}: is no run's id or name, no folder of results, no suite that has any; suites are {known}"
    )


def _folder(root: Path, wanted: str) -> Path | None:
    if suites := newest(root, wanted):
        return suites[wanted].suite(wanted)
    for folder in (Path(wanted), root / wanted):
        if (folder / "responses.jsonl").is_file():
            return folder
    return None


def _from_folder(root: Path, folder: Path) -> Kept:
    """Read a folder of results; settings that lie in it count before those of the project."""
    here = folder if (folder / PARAMS).is_file() else root
    kept = _read(str(folder), here, folder)
    published = folder / "published.json"
    try:
        runs = msgspec.json.decode(published.read_bytes(), type=list[Published])
        logged = numbers(tracking_uri(state_folder(root)), [run.run_id for run in runs])
    except FileNotFoundError:
        return kept._replace(notes=[*kept.notes, "the numbers in MLflow: nothing says that it was published"])
    except UserError as problem:
        return kept._replace(notes=[*kept.notes, f"the numbers in MLflow: {problem}"])
    return kept._replace(logged={Run(run.model, run.prompt): run.metrics for run in logged})


def _from_mlflow(uri: str, run: LoggedRun) -> Kept:
    with tempfile.TemporaryDirectory() as name:
        download(uri, run.run_id, Path(name))
        where = f"MLflow run {run.run_id[:12]} ({run.name})"
        with _told_of(where, name):
            kept = _read(where, Path(name), Path(name))
    told = Manifest(run.suite, run.model, run.prompt, run.params, run.tags)
    key = Run(run.model, run.prompt)
    if key in kept.manifests:
        told = msgspec.structs.replace(told, messages=kept.manifests[key].messages)
    own = [estimate for estimate in kept.estimates if (estimate.model, estimate.prompt) == key]
    others = [estimate for estimate in kept.estimates if (estimate.model, estimate.prompt) != key]
    return kept._replace(manifests={key: told}, logged={key: run.metrics}, estimates=own, beside=others)


@contextlib.contextmanager
def _told_of(where: str, folder: str) -> Iterator[None]:
    """Let a mistake in a copied file speak of where it came from."""
    try:
        yield
    except UserError as problem:
        raise type(problem)(f"{where}: {str(problem).replace(f'{folder}/', '')}") from None


def _read(where: str, root: Path, folder: Path) -> Kept:
    rows = Rows(
        list(jsonl.read(folder / "examples.jsonl", Example)),
        list(jsonl.read(folder / "responses.jsonl", Response)),
        measured(folder),
        jsonl.read_any(folder / LABELLED, Label),
    )
    told, notes = _manifests(folder)
    name = _suite(told, rows)
    suite = load_suite(root, name)
    return Kept(
        where,
        name,
        suite,
        section(root, "compare", Settings),
        labels(load_card(root, suite.dataset), rows.examples) or [],
        rows,
        list(jsonl.read(folder / "estimates.jsonl", Estimate)),
        _baseline(root, folder, suite, rows),
        told,
        {},
        notes,
        (folder / PARAMS).is_file(),
        jsonl.read_any(folder / "judgements.jsonl", Judgement),
        jsonl.read_any(folder / "ranking.jsonl", Ranked),
    )


def _manifests(folder: Path) -> tuple[dict[Run, Manifest], list[str]]:
    """Return what is told of each run, and what is not told."""
    path = folder / manifest.FILE
    if not path.is_file():
        return {}, [f"whether the answers are those that were given: there is no {manifest.FILE}; publish it"]
    try:
        told = msgspec.json.decode(path.read_bytes(), type=list[Manifest])
    except msgspec.DecodeError as problem:
        raise jsonl.Malformed(f"{path}: {problem}; publish the suite again") from None
    return {Run(each.model, each.prompt): each for each in told}, []


def _suite(told: dict[Run, Manifest], rows: Rows) -> str:
    """Return the suite that most of what was kept is of: a single damaged row does not decide it."""
    names = Counter([each.suite for each in told.values()] or [row.suite for row in rows.responses])
    if not names:
        raise UserError("responses.jsonl: holds no responses; run `generate` first")
    return names.most_common(1)[0][0]


def _baseline(root: Path, folder: Path, suite: Suite, rows: Rows) -> Reference | None:
    if (folder / baseline.FILE).is_file():
        return baseline.named(suite, list(jsonl.read(folder / baseline.FILE, Score)))
    return baseline.reference(root, suite, rows.scores, rows.examples)


def only(kept: Kept, model: str, prompt: str) -> Kept:
    """Return what was kept of the runs of a model and a prompt; "" stands for all."""

    def wanted(run: Run) -> bool:
        return run.model == (model or run.model) and run.prompt == (prompt or run.prompt)

    def own(row: Response | Score | Estimate) -> bool:
        return wanted(Run(row.model, row.prompt))

    responses = [row for row in kept.rows.responses if own(row)]
    if not responses:
        known = sorted({f"{row.model}:{row.prompt}" for row in kept.rows.responses})
        raise UserError(f"{kept.where}: has no run {model}:{prompt}; runs are {known}")
    return kept._replace(
        rows=kept.rows._replace(responses=responses, scores=[row for row in kept.rows.scores if own(row)]),
        estimates=[row for row in kept.estimates if own(row)],
        beside=[row for row in kept.estimates if not own(row)],
        manifests={run: told for run, told in kept.manifests.items() if wanted(run)},
        logged={run: metrics for run, metrics in kept.logged.items() if wanted(run)},
        ranking=(),
    )
