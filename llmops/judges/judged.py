"""Judgements to Scores."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from statistics import fmean
from typing import NamedTuple

from msgspec.structs import replace

from llmops.records import Judgement, Score

DISAGREEMENT = ".disagreement"
"""Ending of the metric that tells how far a jury's members disagree."""

TURNED = {"win": "loss", "loss": "win"}
"""A pair's outcome → as the other side sees it."""


class Place(NamedTuple):
    """What one Score is of."""

    metric: str
    model: str
    prompt: str
    example_id: str
    repeat: int


def judged(judgements: Iterable[Judgement]) -> Iterator[Score]:
    """Yield one Score for each response and metric: ``<judge>`` or ``<judge>.<criterion>``.

    A response that a pairwise judge held against several others has the mean of its outcomes; where each
    two runs were held against each other once, an outcome counts for both.
    """
    grouped: dict[Place, list[Judgement]] = defaultdict(list)
    for each in judgements:
        for seen in from_both_sides(each):
            place = Place(seen.metric, seen.model, seen.prompt, seen.example_id, seen.repeat)
            grouped[place].append(seen)
    for place, found in grouped.items():
        yield _score(place, found)
        if found[0].disagreement is not None:
            yield _score(
                place._replace(metric=place.metric + DISAGREEMENT),
                [
                    replace(each, value=each.disagreement, label=None, missing=None, reason=None)
                    for each in found
                ],
            )


def words_of(each: Judgement) -> str:
    """Return what a judge said, in its own words where it gave any; why it gave no verdict otherwise."""
    return ": ".join(filter(None, (each.label, each.explanation or each.reason))) or each.raw or ""


def from_both_sides(each: Judgement) -> Iterator[Judgement]:
    """Yield a Judgement, and one of a pair as the other side sees it."""
    yield each
    if each.other_model is None or each.other_prompt is None:
        return
    yield replace(
        each,
        model=each.other_model,
        prompt=each.other_prompt,
        other_model=each.model,
        other_prompt=each.prompt,
        value=None if each.value is None else 1.0 - each.value,
        label=_turned(each.label),
        orders=[_turned(said) for said in reversed(each.orders)],
        votes={name: None if value is None else 1.0 - value for name, value in each.votes.items()},
    )


def _turned(outcome: str | None) -> str | None:
    return None if outcome is None else TURNED.get(outcome, outcome)


def _score(place: Place, found: list[Judgement]) -> Score:
    values = [each.value for each in found if each.value is not None]
    first = next((each for each in found if each.value is None), found[0]) if not values else found[0]
    return Score(
        suite=first.suite,
        example_id=place.example_id,
        model=place.model,
        prompt=place.prompt,
        metric=place.metric,
        repeat=place.repeat,
        value=fmean(values) if values else None,
        read=first.label if len(found) == 1 else None,
        missing=None if values else first.missing or "unjudged",
        reason=None if values else first.reason,
    )
