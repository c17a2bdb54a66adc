"""A judge's verdicts beside people's labels: how far they agree, how far people agree."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

from llmops.records import OVERALL, Label, Record, Score
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


class Drawing(NamedTuple):
    """How sure an interval is, and how it is resampled."""

    confidence: float = 0.95
    resampling: Resampling = Resampling()


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
            found.append(Item(score.example_id, verdict_of(score, numeric), said))
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
        made += [_figure(label, each, slice=name) for label, each in _with_people(part, how)]
    made += _among_people(found, how)
    return made


def _figure(name: str, found: Interval, **about: str) -> Figure:
    return Figure(
        name=name, value=found.value, low=found.low, high=found.high, n=found.n, method=found.method,
        reason=found.reason, **about,
    )  # fmt: skip


def _with_people(found: Sequence[Item], how: Drawing) -> Iterator[tuple[str, Interval]]:
    """Yield the judge's agreement with what most people say."""
    pairs = [
        (item.verdict, said)
        for item in found
        for said in [consensus(item.labels)]
        if said is not None and item.verdict is not None
    ]
    ours, theirs = [a for a, _ in pairs], [b for _, b in pairs]
    numeric = any(isinstance(value, float) for value in theirs)
    if len({*ours, *theirs}) <= CLASSES_AT_MOST or not numeric:
        yield from _of_classes(ours, theirs, how.confidence)
    if numeric:
        yield from _of_numbers(found, ours, theirs, how)


def _of_classes(ours: list[Any], theirs: list[Any], confidence: float) -> Iterator[tuple[str, Interval]]:
    found = recalls([_word(a) for a in ours], [_word(b) for b in theirs], confidence)
    yield "accuracy", found.accuracy
    yield "balanced_accuracy", found.balanced
    yield from ((f"recall of {name}", each) for name, each in found.by_class.items())
    yield "kappa", kappa(ours, theirs, "none", confidence)


def _of_numbers(
    found: Sequence[Item], ours: list[Any], theirs: list[Any], how: Drawing
) -> Iterator[tuple[str, Interval]]:
    if len({*ours, *theirs}) <= CLASSES_AT_MOST:
        yield "linear_kappa", kappa(ours, theirs, "linear", how.confidence)
        yield "quadratic_kappa", kappa(ours, theirs, "quadratic", how.confidence)
    judged = [item for item in found if isinstance(item.verdict, float)]
    verdicts = [float(item.verdict or 0.0) for item in judged]
    means = [sum(map(float, item.labels.values())) / len(item.labels) for item in judged]
    for kind in FISHER_SE:
        yield kind, correlation(verdicts, means, kind, how.confidence)


def _among_people(found: Sequence[Item], how: Drawing) -> Iterator[Figure]:
    """Yield how far people agree with each other, and each with the judge."""
    who = sorted({annotator for item in found for annotator in item.labels})
    numeric = any(isinstance(said, float) for item in found for said in item.labels.values())
    for one in who:
        both = [(i.verdict, i.labels[one]) for i in found if one in i.labels and i.verdict is not None]
        made = kappa([a for a, _ in both], [b for _, b in both], "none", how.confidence)  # type: ignore[arg-type]
        yield _figure("kappa", made, between=f"judge and {one}")
    people: list[Any] = [list(item.labels.values()) for item in found]
    if len(who) < 2:
        alone = Interval(None, len(found), reason=f"one annotator, {who[0]!r}: nobody to agree with")
        yield _figure("alpha", alone, between="people")
        return
    level: Level = "interval" if numeric else "nominal"
    yield _figure("alpha", alpha(people, level, how.resampling, how.confidence), between="people")
    for one, other in combinations(who, 2):
        pairs = [(i.labels[one], i.labels[other]) for i in found if one in i.labels and other in i.labels]
        made = kappa([a for a, _ in pairs], [b for _, b in pairs], "none", how.confidence)  # type: ignore[arg-type]
        yield _figure("kappa", made, between=f"{one} and {other}")


def _word(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:g}"
