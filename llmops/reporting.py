"""A suite's files -> its report as Markdown, JUnit XML, JSON or HTML."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from llmops import jsonl
from llmops.baseline import reference
from llmops.comparing import Rows
from llmops.errors import UserError
from llmops.explanation import Explanation
from llmops.kept import Kept, load, only
from llmops.places import RESULTS, Places, newest
from llmops.records import Estimate, Score, Verdict
from llmops.reports.junit import junit
from llmops.reports.markdown import markdown
from llmops.reports.page import page
from llmops.reports.told import Link, Told
from llmops.revisions import read_at
from llmops.stages.why import explained, pairs
from llmops.suites import Baseline
from llmops.summary import Run
from llmops.tracking.publish import Published

ROWS = ("examples.jsonl", "responses.jsonl", "scores.jsonl", "estimates.jsonl")
UNSAFE = frozenset("()<> \"'")
"""Characters that would end an address in Markdown or HTML."""


def _json(told: Told) -> str:
    return msgspec.json.format(msgspec.json.encode(told), indent=1).decode() + "\n"


FORMATS: dict[str, Callable[[Told], str]] = {"md": markdown, "junit": junit, "json": _json, "html": page}


def report(places: Places, name: str, form: str, against: str | None = None) -> str:
    """Return the newest report of a suite; the same files give the same bytes.

    Args:
        form: one of `FORMATS`.
        against: a run or folder as ``llmops why`` takes it, an accepted file, or a git revision;
            the suite's own baseline when None.

    Raises:
        UserError: the suite was not run, or there is nothing of the name to hold it against.
    """
    return FORMATS[form](tell(places, name, against))


def tell(places: Places, name: str, against: str | None = None) -> Told:
    """Return what the reports of a suite tell; arguments and errors are those of `report`."""
    here = newest(places.root, name).get(name)
    if here is None:
        raise UserError(f"report: no estimates of {name!r}; run `dvc repro` or `llmops run {name}`")
    judged = here.suite(name, "verdicts.jsonl")
    ours = load(places, str(here.suite(name)))
    return Told(
        suite=name,
        against=against,
        verdicts=jsonl.read_any(judged, Verdict),
        estimates=list(jsonl.read(here.suite(name, "estimates.jsonl"), Estimate)),
        changes=[
            msgspec.structs.replace(each, before=_within(each.before, here), after=_within(each.after, here))
            for each in _changes(places, ours, against)
        ],
        links=_links(here.suite(name, "published.json")),
        files=[_within(str(path), here) for path in sorted(here.suite(name).glob("*.jsonl"))],
    )


def _links(path: Path) -> list[Link]:
    """Return where the runs are in MLflow, as they were published last."""
    if not path.is_file():
        return []
    published = msgspec.json.decode(path.read_bytes(), type=list[Published])
    return [Link(run.name, run.run_id, _browsable(run.url)) for run in published]


def _browsable(url: str | None) -> str | None:
    """Return an address that a browser opens without harm; None of any other."""
    return url if url and url.startswith(("http://", "https://")) and not set(url) & UNSAFE else None


def _within(where: str, here: Places) -> str:
    """Return a place without the folder of this machine that the project lies in."""
    return where.replace(f"{here.root}/", "")


def _changes(places: Places, ours: Kept, against: str | None) -> list[Explanation]:
    if against is None:
        return _to_own_baseline(places, ours)
    if (places.root / against).is_file():
        return _to_accepted(places, ours, Baseline(file=against))
    try:
        theirs = load(places, against)
    except UserError:
        theirs = _at(places, against, ours.name)
    return [explained(places, (theirs, old), (ours, new)) for old, new in pairs(theirs, ours)]


def _to_accepted(places: Places, ours: Kept, chosen: Baseline) -> list[Explanation]:
    """Return how each run differs from the one of an accepted file, which holds scores and no answers."""
    suite = msgspec.structs.replace(ours.suite, baseline=chosen)
    held = reference(places.root, suite, ours.rows.scores, ours.rows.examples)
    return [] if held is None else _to_one(places, ours, _scored(ours, held.name, held.scores))


def _scored(ours: Kept, where: str, scores: list[Score]) -> Kept:
    """Return what is known of a run that only its scores were kept of."""
    ids = {score.example_id for score in scores}
    examples = [example for example in ours.rows.examples if example.id in ids]
    return ours._replace(
        where=where, rows=Rows(examples, [], scores), estimates=[], baseline=None, manifests={}, logged={}
    )


def _to_one(places: Places, ours: Kept, theirs: Kept) -> list[Explanation]:
    [before] = {Run(score.model, score.prompt) for score in theirs.rows.scores}
    return [explained(places, (theirs, before), (ours, run)) for run in _runs(ours)]


def _runs(kept: Kept) -> list[Run]:
    return list(dict.fromkeys(Run(row.model, row.prompt) for row in kept.rows.responses))


def _to_own_baseline(places: Places, ours: Kept) -> list[Explanation]:
    """Return how each run differs from the suite's baseline: a run of its own, of a file or a revision."""
    chosen = ours.suite.baseline
    if chosen is None:
        return []
    if chosen.revision is not None:
        theirs = _at(places, chosen.revision, ours.name)
        return _to_one(places, ours, only(theirs, chosen.model or "", chosen.prompt or ""))
    if chosen.file is not None:
        return _to_accepted(places, ours, chosen)
    runs, before = _runs(ours), Run(chosen.model or "", chosen.prompt or "")
    if before not in runs:
        return []
    return [explained(places, (ours, before), (ours, run)) for run in runs if run != before]


def _at(places: Places, revision: str, name: str) -> Kept:
    """Return the suite's results as a git revision has them."""
    with tempfile.TemporaryDirectory() as folder:
        for file in ROWS:
            content = read_at(places.root, revision, f"{RESULTS}/{name}/{file}")
            (Path(folder) / file).write_bytes(content)
        return load(places, folder)._replace(where=f"{revision}: {RESULTS}/{name}")
