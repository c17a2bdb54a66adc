"""A judge's verdicts beside people's labels: how far they agree, how far people agree."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

from llmops.record import Record
from llmops.records import OVERALL, Label, Score
from llmops.stats.alpha import Level, alpha
from llmops.stats.bootstrap import Resampling
from llmops.stats.correlation import FISHER_SE, correlation
from llmops.stats.interval import Interval
from llmops.stats.kappa import kappa
from llmops.stats.recalls import recalls

CLASSES_AT_MOST = 10
"""Numbers with no more values than this are classes too, so that they have a kappa."""


class Figure(Record, omit_defaults=True):
    """One measure of agreement over one slice."""

    name: str
    between: str = "judge and people"
    slice: str = OVERALL
    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    method: str | None = None
    reason: str | None = None


class Item(NamedTuple):
    """One judged answer, with what each person said of it."""

    example_id: str
    verdict: str | float | None
    """None: unscored."""
    labels: dict[str, str | float]
    """Annotator → label."""
    run: tuple[str, str, int] = ("", "", 0)
    """Model, prompt and repeat of the answer."""
    value: float | None = None
    """The verdict as a number."""


class Drawing(NamedTuple):
    """How sure an interval is, and how it is resampled."""

    confidence: float = 0.95
    resampling: Resampling = Resampling()
    sources: Mapping[str, str] = {}
    """Example id → its source; an example that is not named is its own."""

    def clusters(self, found: Sequence[Item]) -> list[str]:
        """Return what each answer shares with others: its example's source."""
        return [self.sources.get(item.example_id, item.example_id) for item in found]


def items(scores: Iterable[Score], labels: Iterable[Label], criterion: str) -> list[Item]:
    """Return each judged answer that someone labelled; a label of no model is of all answers."""
    of_answer: dict[tuple[Any, ...], dict[str, str | float]] = defaultdict(dict)
    for each in labels:
        if each.criterion == criterion:
            of_answer[each.example_id, each.model, each.prompt, each.repeat][each.annotator] = each.label
    numeric = any(isinstance(said, float) for each in of_answer.values() for said in each.values())
    found = []
    for score in scores:
        run = (score.example_id, score.model, score.prompt)
        places = [(score.example_id, None, None, None), (*run, None), (*run, score.repeat)]
        said = {who: what for place in places for who, what in of_answer.get(place, {}).items()}
        if said:
            answer = score.model, score.prompt, score.repeat
            found.append(Item(score.example_id, verdict_of(score, numeric), said, answer, score.value))
    return found


def verdict_of(score: Score, numeric: bool) -> str | float | None:
    """Return what the judge said, as labels say it: a number where they are numbers, else a word."""
    if numeric:
        return score.value
    if score.read is not None or score.value is None:
        return score.read
    return f"{score.value:g}"


def consensus(labels: Mapping[str, str | float]) -> str | float | None:
    """Return what most people said; None where two labels are said equally often."""
    ranked = Counter(labels.values()).most_common(2)
    return None if len(ranked) == 2 and ranked[0][1] == ranked[1][1] else ranked[0][0]


def figures(found: Sequence[Item], slices: Mapping[str, Sequence[str]], how: Drawing) -> list[Figure]:
    """Return every figure of every slice; people's own agreement over all examples.

    Args:
        slices: name → ids of its examples; ``all`` is one of them.
    """
    made: list[Figure] = []
    for name, ids in slices.items():
        members = set(ids)
        part = [item for item in found if item.example_id in members]
        made += [figure(label, each, slice=name) for label, each in _with_people(part, how)]
    made += _among_people(found, how)
    return made


def figure(name: str, found: Interval, **about: str) -> Figure:
    """Return an interval as a figure of a card."""
    return Figure(
        name=name, value=found.value, low=found.low, high=found.high, n=found.n, method=found.method,
        reason=found.reason, **about,
    )  # fmt: skip


def _with_people(found: Sequence[Item], how: Drawing) -> Iterator[tuple[str, Interval]]:
    """Yield the judge's agreement with what most people say."""
    told = [i for i in found if i.verdict is not None and consensus(i.labels) is not None]
    ours: list[Any] = [item.verdict for item in told]
    theirs: list[Any] = [consensus(item.labels) for item in told]
    clusters, numeric = how.clusters(told), any(isinstance(value, float) for value in theirs)
    if len({*ours, *theirs}) <= CLASSES_AT_MOST or not numeric:
        yield from _of_classes(ours, theirs, clusters, how.confidence)
    if numeric and len({*ours, *theirs}) <= CLASSES_AT_MOST:
        yield "linear_kappa", kappa(ours, theirs, "linear", how.confidence, clusters)
        yield "quadratic_kappa", kappa(ours, theirs, "quadratic", how.confidence, clusters)
    if numeric:
        yield from _of_numbers(found, how)


def _of_classes(
    ours: list[Any], theirs: list[Any], clusters: list[str], confidence: float
) -> Iterator[tuple[str, Interval]]:
    found = recalls([_word(a) for a in ours], [_word(b) for b in theirs], confidence, clusters)
    yield "accuracy", found.accuracy
    yield "balanced_accuracy", found.balanced
    yield from ((f"recall of {name}", each) for name, each in found.by_class.items())
    yield "kappa", kappa(ours, theirs, "none", confidence, clusters)


def _of_numbers(found: Sequence[Item], how: Drawing) -> Iterator[tuple[str, Interval]]:
    judged = [item for item in found if isinstance(item.verdict, float)]
    verdicts = [float(item.verdict or 0.0) for item in judged]
    means = [sum(map(float, item.labels.values())) / len(item.labels) for item in judged]
    for kind in FISHER_SE:
        yield kind, correlation(verdicts, means, kind, how.confidence, how.clusters(judged))


def _among_people(found: Sequence[Item], how: Drawing) -> Iterator[Figure]:
    """Yield how far people agree with each other, and each with the judge."""
    who = sorted({annotator for item in found for annotator in item.labels})
    numeric = any(isinstance(said, float) for item in found for said in item.labels.values())
    for one in who:
        both = [item for item in found if one in item.labels and item.verdict is not None]
        ours: list[Any] = [item.verdict for item in both]
        theirs: list[Any] = [item.labels[one] for item in both]
        made = kappa(ours, theirs, "none", how.confidence, how.clusters(both))
        yield figure("kappa", made, between=f"judge and {one}")
    people: list[Any] = [list(item.labels.values()) for item in found]
    if len(who) < 2:
        alone = Interval(None, len(found), reason=f"one annotator, {who[0]!r}: nobody to agree with")
        yield figure("alpha", alone, between="people")
        return
    level: Level = "interval" if numeric else "nominal"
    made = alpha(people, level, how.resampling, how.confidence, how.clusters(found))
    yield figure("alpha", made, between="people")
    for one, other in combinations(who, 2):
        both = [item for item in found if one in item.labels and other in item.labels]
        ours, theirs = [item.labels[one] for item in both], [item.labels[other] for item in both]
        made = kappa(ours, theirs, "none", how.confidence, how.clusters(both))
        yield figure("kappa", made, between=f"{one} and {other}")


def _word(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:g}"
