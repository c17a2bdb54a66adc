"""Two runs of the same examples: how each metric moved, and which examples it moved for."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

from llmops.records import Example, Record, Response
from llmops.stats.compare import paired_difference
from llmops.summary import Column


class Side(NamedTuple):
    """One of the two runs."""

    examples: Mapping[str, Example]
    answers: Mapping[str, Mapping[int, Response]]
    """Example id → repeat → Response."""
    columns: Mapping[str, Column]
    """Metric → its values."""
    lower_is_better: frozenset[str] = frozenset()


class Shift(Record):
    """A metric in both runs, and its paired difference."""

    metric: str
    before: float | None
    """Mean over the run's own examples."""
    after: float | None
    difference: float | None
    low: float | None
    high: float | None
    pairs: int
    unpaired: int
    """Examples that have a value in one run only."""
    fixed: int
    """Pairs that are better after."""
    broke: int
    reason: str | None = None


class Flip(Record):
    """One example whose value of a metric is another."""

    metric: str
    example_id: str
    outcome: Literal["fixed", "broke"]
    before: float
    after: float
    input: str
    target: str | None
    answer_before: str
    answer_after: str
    changed: bool
    """The example itself says something else in one of the two."""


def answers(responses: Iterable[Response]) -> dict[str, dict[int, Response]]:
    """Return example id → repeat → Response."""
    found: dict[str, dict[int, Response]] = defaultdict(dict)
    for response in responses:
        found[response.example_id][response.repeat] = response
    return found


def shifts(before: Side, after: Side, confidence: float) -> Iterator[Shift]:
    """Yield how each metric that both runs have moved, after minus before."""
    for metric in after.columns:
        if metric in before.columns:
            yield _shift(metric, before, after, confidence)


def _shift(metric: str, before: Side, after: Side, confidence: float) -> Shift:
    old, new = before.columns[metric].values, after.columns[metric].values
    both = [i for i in new if i in old]
    sources = [after.examples[i].cluster or i if i in after.examples else i for i in both]
    clusters = sources if sources != both else None
    found = paired_difference([new[i] for i in both], [old[i] for i in both], clusters, confidence)
    better, worse = found.fixed, found.broke
    if metric in after.lower_is_better:
        better, worse = worse, better
    return Shift(
        metric=metric,
        before=_mean(old),
        after=_mean(new),
        difference=found.value,
        low=found.low,
        high=found.high,
        pairs=len(both),
        unpaired=len(old.keys() ^ new.keys()),
        fixed=better,
        broke=worse,
        reason=found.reason,
    )


def _mean(values: Mapping[str, float]) -> float | None:
    return sum(values.values()) / len(values) if values else None


def flips(metric: str, before: Side, after: Side) -> Iterator[Flip]:
    """Yield the examples whose value of the metric is another, those that broke first."""
    old, new = before.columns[metric].values, after.columns[metric].values
    moved = [i for i in new if i in old and new[i] != old[i]]
    found = [_flip(metric, i, before, after) for i in moved]
    yield from sorted(found, key=lambda flip: flip.outcome)


def _flip(metric: str, example_id: str, before: Side, after: Side) -> Flip:
    old, new = before.columns[metric].values[example_id], after.columns[metric].values[example_id]
    example = after.examples.get(example_id, Example(id=example_id, inputs={}))
    said_before, said_after = _said(before.answers.get(example_id, {}), after.answers.get(example_id, {}))
    better = new < old if metric in after.lower_is_better else new > old
    return Flip(
        metric=metric,
        example_id=example_id,
        outcome="fixed" if better else "broke",
        before=old,
        after=new,
        input=" ".join(str(value) for value in example.inputs.values()),
        target=example.target,
        answer_before=said_before,
        answer_after=said_after,
        changed=before.examples.get(example_id) != after.examples.get(example_id),
    )


def _said(before: Mapping[int, Response], after: Mapping[int, Response]) -> tuple[str, str]:
    """Return both answers of the first repeat in which they differ, of the first where none does."""
    pairs = [(_text(before[n]), _text(after[n])) for n in sorted(before) if n in after]
    return next((pair for pair in pairs if pair[0] != pair[1]), pairs[0] if pairs else ("", ""))


def _text(response: Response) -> str:
    if response.error is not None:
        return f"{response.error.kind}: {response.error.message}"
    return response.answer or ""
