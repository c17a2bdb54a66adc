"""Two runs of the same examples: how each metric moved, and which examples it moved for."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

from llmops.record import Record
from llmops.records import OVERALL, Estimate, Example, Response
from llmops.summary import Column


class Side(NamedTuple):
    """One of the two runs."""

    examples: Mapping[str, Example]
    answers: Mapping[str, Mapping[int, Response]]
    """Example id → repeat → Response."""
    columns: Mapping[str, Column]
    """Metric → its values."""
    stored: Mapping[str, float | None] = {}
    """Metric → its value over all examples, as it was estimated then."""
    lower_is_better: frozenset[str] = frozenset()
    verdicts: Mapping[tuple[str, str], str] = {}
    """Metric and example id → what a judge said."""


class Shift(Record):
    """A metric in both runs, and its paired difference."""

    metric: str
    before: float | None
    """The value over the run's own examples, by its own settings."""
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
    verdict_before: str | None = None
    """What the judge said whose metric it is; None of another metric, and where that was not kept."""
    verdict_after: str | None = None


def answers(responses: Iterable[Response]) -> dict[str, dict[int, Response]]:
    """Return example id → repeat → Response."""
    found: dict[str, dict[int, Response]] = defaultdict(dict)
    for response in responses:
        found[response.example_id][response.repeat] = response
    return found


def shifts(before: Side, after: Side, estimates: Iterable[Estimate]) -> Iterator[Shift]:
    """Yield how each metric that both runs have moved, after minus before.

    Args:
        estimates: those of the run after, with their differences to the run before.
    """
    for estimate in estimates:
        name = estimate.metric
        if estimate.slice == OVERALL and name in before.columns and name in after.columns:
            yield _shift(estimate, before, after)


def _shift(estimate: Estimate, before: Side, after: Side) -> Shift:
    old, new = before.columns[estimate.metric].values, after.columns[estimate.metric].values
    better, worse = estimate.fixed or 0, estimate.broke or 0
    if not estimate.higher_is_better:
        better, worse = worse, better
    return Shift(
        metric=estimate.metric,
        before=before.stored.get(estimate.metric),
        after=estimate.value,
        difference=estimate.difference,
        low=estimate.difference_low,
        high=estimate.difference_high,
        pairs=len(old.keys() & new.keys()),
        unpaired=len(old.keys() ^ new.keys()),
        fixed=better,
        broke=worse,
    )


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
        verdict_before=before.verdicts.get((metric, example_id)),
        verdict_after=after.verdicts.get((metric, example_id)),
    )


def _said(before: Mapping[int, Response], after: Mapping[int, Response]) -> tuple[str, str]:
    """Return both answers of the first repeat in which they differ, of the first where none does."""
    pairs = [(_text(before[n]), _text(after[n])) for n in sorted(before) if n in after]
    if not pairs:
        return tuple(next((_text(side[n]) for n in sorted(side)), "") for side in (before, after))  # type: ignore[return-value]
    return next((pair for pair in pairs if pair[0] != pair[1]), pairs[0])


def _text(response: Response) -> str:
    if response.error is not None:
        return f"{response.error.kind}: {response.error.message}"
    return response.answer or ""
