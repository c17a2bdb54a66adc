"""``llmops certify``: a judge's verdicts beside people's labels, printed, kept in git, logged to MLflow."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from llmops import jsonl
from llmops.agreement import Drawing, Figure, Item, consensus, figures, items
from llmops.certificates import Bar, Certificate, below_bar, identity_of, write_certificate
from llmops.comparing import Settings
from llmops.config import params, section
from llmops.draws import read_draws
from llmops.errors import UserError
from llmops.habits import ALONE, answers, habits, positions
from llmops.labelling import labels_file, read_labels
from llmops.numbers import interval, number
from llmops.places import Places, newest, state_folder
from llmops.records import OVERALL, Estimate, Example, Judgement, Label, Response, Score
from llmops.stages.publish import Params
from llmops.stats.bootstrap import Resampling
from llmops.suites import load_suite
from llmops.summary import setting
from llmops.tracking.client import tracking_uri
from llmops.tracking.publish import RunRecord, publish

TARGET = "target"
"""Who labels where the data set does."""

LOGGED = ("judge and people", ALONE)
JUDGED, SCORES = "judged.jsonl", "scores.jsonl"


class Measured(NamedTuple):
    """What a card is written from."""

    suite: str
    slices: Mapping[str, Sequence[str]]
    labels: list[Label]
    criteria: dict[str, list[Item]]
    habits: Mapping[str, list[Figure]]
    how: Drawing


def main(root: Path, judge: str, file: Path | None, suite: str | None) -> int:
    """Certify a judge by a file of labels; return 1 when it is below the bar.

    Args:
        file: the labels; ``data/labels/<suite>.jsonl`` when None, and without it the data set's targets.
        suite: whose answers were judged; when None, that of the labels or the only one that names the judge.

    Raises:
        UserError: no results, no verdicts of the judge, fewer than two labelled, or labels that
            contradict each other.
    """
    measured = _measured(root, judge, file, suite)
    certificate = _certificate(root, judge, measured)
    for line in card(certificate):
        print(line)
    bar: Bar = section(root, "certify", Bar)
    below = {name: why for name, found in certificate.criteria.items() if (why := below_bar(found, bar))}
    path = write_certificate(root, certificate)
    _log(root, certificate, below, path)
    for name, why in below.items():
        print(f"below the bar: {judge}{f'.{name}' if name else ''}: {why}")
    print(f"{path.relative_to(root)}: {'below the bar' if below else 'certified'}")
    return 1 if below else 0


def _measured(root: Path, judge: str, file: Path | None, suite: str | None) -> Measured:
    name = suite or _suite_of(root, judge, file)
    path = file or labels_file(root, name)
    places = newest(root, name).get(name)
    if places is None:
        raise UserError(f"{name}: has no results; run `llmops run {name}` first")
    examples = list(jsonl.read(places.suite(name, "examples.jsonl"), Example))
    labels = _labels(path, name, examples)
    settings = section(root, "compare", Settings)
    about = setting(name, load_suite(root, name), settings.confidence, examples)
    verdicts = _verdicts(places, name, judge)
    by_criterion = {criterion: items(scores, labels, criterion) for criterion, scores in verdicts.items()}
    kept = {criterion: found for criterion, found in by_criterion.items() if found}
    if max(map(len, kept.values()), default=0) < 2:
        raise UserError(f"{path}: fewer than two answers that {judge!r} judged are labelled; label more")
    how = Drawing(settings.confidence, Resampling(settings.resamples, settings.seed), about.clusters or {})
    own = _habits(places.suite(name), judge, kept, verdicts, how)
    return Measured(name, about.slices, labels, kept, own, how)


def _labels(path: Path, suite: str, examples: Sequence[Example]) -> list[Label]:
    """Return the file's labels; where there is no file, the targets that the examples have."""
    targets = [Label(suite, e.id, TARGET, e.target) for e in examples if e.target is not None]
    if path.is_file() or not targets:
        return read_labels(path, suite, {example.id for example in examples})
    return targets


def _suite_of(root: Path, judge: str, file: Path | None) -> str:
    """Return the suite that the labels are of; without labels, the only one that names the judge."""
    first = next(jsonl.read(file, Label), None) if file else None
    if first is not None:
        return first.suite
    suites: list[str] = list(params(root).get("suites") or {})
    naming = [name for name in suites if judge in load_suite(root, name).judges]
    if len(naming) != 1:
        raise UserError(f"certify: {judge!r} is named by the suites {naming}; give --suite or --labels")
    return naming[0]


def _verdicts(places: Places, suite: str, judge: str) -> dict[str, list[Score]]:
    """Return criterion → scores: of a judge of answers, else of a model that was asked for verdicts."""
    found: dict[str, list[Score]] = {}
    judged = places.suite(suite, JUDGED)
    for score in jsonl.read(judged, Score) if judged.is_file() else ():
        name, _, criterion = score.metric.partition(".")
        if name == judge:
            found.setdefault(criterion, []).append(score)
    if found:
        return found
    asked = [s for s in jsonl.read(places.suite(suite, SCORES), Score) if s.model == judge]
    if not asked:
        raise UserError(f"{suite}: no verdicts of {judge!r}; name a judge, or a model asked for verdicts")
    return {"": [score for score in asked if score.metric == asked[0].metric]}


def _habits(
    folder: Path,
    judge: str,
    kept: Mapping[str, list[Item]],
    verdicts: Mapping[str, list[Score]],
    how: Drawing,
) -> dict[str, list[Figure]]:
    """Return criterion → figures of the judge alone; none of a model whose answers are the verdicts."""
    if any(score.model == judge for scores in verdicts.values() for score in scores):
        return {}
    texts = answers(jsonl.read(folder / "responses.jsonl", Response))
    path = folder / "judgements.jsonl"
    said = [each for each in jsonl.read_any(path, Judgement) if each.judge == judge]
    return {
        criterion: [
            *habits(found, verdicts[criterion], texts, how),
            *positions([each for each in said if each.criterion == criterion], how),
        ]
        for criterion, found in kept.items()
    }


def _certificate(root: Path, judge: str, measured: Measured) -> Certificate:
    labelled = [item for found in measured.criteria.values() for item in found]
    return Certificate(
        judge=judge,
        suite=measured.suite,
        identity=identity_of(root, judge),
        labels_sha256=jsonl.sha256(measured.labels),
        labelled=len(labelled),
        unscored=sum(item.verdict is None for item in labelled),
        split=sum(consensus(item.labels) is None for item in labelled),
        annotators=len({label.annotator for label in measured.labels}),
        rubric=measured.labels[0].rubric,
        criteria={
            name: figures(found, measured.slices, measured.how) + measured.habits.get(name, [])
            for name, found in measured.criteria.items()
        },
        unequal=_is_unequal(root, measured),
    )


def _is_unequal(root: Path, measured: Measured) -> bool:
    own = {label.chance for label in measured.labels}
    rounds: dict[int, set[float]] = {}
    for draw in read_draws(root, measured.suite):
        rounds.setdefault(draw.round, set()).add(draw.chance)
    return len(own) > 1 or any(len(chances) > 1 for chances in rounds.values())


def card(certificate: Certificate) -> Iterator[str]:
    """Yield the lines of a certificate as people read it."""
    yield (
        f"{certificate.judge} over {certificate.suite}: {certificate.labelled:,} labelled by "
        f"{certificate.annotators}, {certificate.unscored:,} unscored, {certificate.split:,} split"
    )
    if certificate.unequal:
        yield "  labels were drawn where they teach most: the figures are of the labelled answers, not of all"
    for criterion, found in certificate.criteria.items():
        for figure in found:
            yield _line(criterion, figure)


def _line(criterion: str, figure: Figure) -> str:
    cut = "" if figure.slice == OVERALL else figure.slice
    about = "  ".join(filter(None, [criterion, figure.between, cut]))
    shown = f"{number(figure.value)} {interval(figure.low, figure.high)}".strip()
    reason = f"  {figure.reason}" if figure.reason else ""
    return f"  {figure.name:<20} {shown:<26} n {figure.n:<6,} {about}{reason}"


def _log(root: Path, certificate: Certificate, below: Mapping[str, str], path: Path) -> None:
    run = RunRecord(
        suite=certificate.suite,
        model=certificate.judge,
        prompt="certificate",
        params={
            "identity": certificate.identity,
            "labels_sha256": certificate.labels_sha256,
            "certified": str(not below).lower(),
        },
        estimates=list(_estimates(certificate)),
        artifacts={"": [path]},
    )
    experiment = section(root, "publish", Params).experiment
    publish(tracking_uri(state_folder(root)), experiment, [run], lambda line: print(line, file=sys.stderr))


def _estimates(certificate: Certificate) -> Iterator[Estimate]:
    for criterion, found in certificate.criteria.items():
        for each in found:
            if each.slice == OVERALL and each.between in LOGGED and " " not in each.name:
                yield Estimate(
                    suite=certificate.suite, model=certificate.judge, prompt="certificate",
                    metric=f"{criterion}.{each.name}" if criterion else each.name,
                    value=each.value, low=each.low, high=each.high, n=each.n, reason=each.reason,
                )  # fmt: skip
