"""A judge's habits: does it favour a place, a length, does it agree with itself?"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import fmean

from llmops.agreement import Drawing, Figure, Item, figure
from llmops.records import Judgement, Response, Score
from llmops.stats.interval import Interval
from llmops.stats.orders import orders, self_consistency
from llmops.stats.slope import length_slope

ALONE = "judge alone"
AS_PREFERRED = {"win": "1", "loss": "2"}
"""What a pairwise judge said of a response → which of the two it preferred."""

Answer = tuple[str, str, str, int]
"""Example, model, prompt, repeat."""


def answers(responses: Iterable[Response]) -> dict[Answer, str]:
    """Return the text of each answer."""
    return {(r.example_id, r.model, r.prompt, r.repeat): r.answer for r in responses if r.answer is not None}


def habits(
    labelled: Sequence[Item], judged: Sequence[Score], texts: Mapping[Answer, str], how: Drawing
) -> Iterator[Figure]:
    """Yield how verdicts move with length among answers that people label alike, and repeat themselves.

    Args:
        texts: of the judged answers.
    """
    yield figure("length_slope", _slope(labelled, texts, how), between=ALONE)
    yield figure("self_consistency", _consistency(judged, texts, how), between=ALONE)


def _slope(labelled: Sequence[Item], texts: Mapping[Answer, str], how: Drawing) -> Interval:
    """Return the slope for each doubling of the answer's characters."""
    values = {item.verdict: item.value for item in labelled if item.value is not None}
    rows = []
    for item in labelled:
        text = texts.get((item.example_id, *item.run))
        said = [each if isinstance(each, float) else values.get(each) for each in item.labels.values()]
        known = [value for value in said if value is not None]
        if text is not None and item.value is not None and known:
            rows.append((item, math.log2(1 + len(text)), fmean(known)))
    clusters = how.clusters([item for item, _, _ in rows])
    verdicts, lengths = [item.value or 0.0 for item, _, _ in rows], [length for _, length, _ in rows]
    return length_slope(verdicts, lengths, [label for _, _, label in rows], how.confidence, clusters)


def _consistency(judged: Sequence[Score], texts: Mapping[Answer, str], how: Drawing) -> Interval:
    """Return how often verdicts agree on the very same answer, given to the same question in two repeats."""
    alike: dict[tuple[str, str, str, str], list[str]] = defaultdict(list)
    for score in judged:
        text = texts.get((score.example_id, score.model, score.prompt, score.repeat))
        if text is not None and score.value is not None:
            alike[score.example_id, score.model, score.prompt, text].append(f"{score.value:g}")
    clusters = [how.sources.get(example_id, example_id) for example_id, *_ in alike]
    return self_consistency(list(alike.values()), how.confidence, clusters)


def positions(judgements: Iterable[Judgement], how: Drawing) -> Iterator[Figure]:
    """Yield what the order of two answers does to a pairwise judge; nothing of a judge of single answers."""
    both = [each for each in judgements if len(each.orders) == 2 and None not in each.orders]
    if not both:
        return
    as_given, swapped = (
        [AS_PREFERRED.get(each.orders[place] or "", "tie") for each in both] for place in (0, 1)
    )
    clusters = [how.sources.get(each.example_id, each.example_id) for each in both]
    found = orders(as_given, swapped, how.confidence, clusters)
    yield figure("position_consistency", found.consistent, between=ALONE)
    yield figure("toward_first", found.toward_first, between=ALONE)
