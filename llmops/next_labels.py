"""What to label next: a random draw of examples, likelier where a label teaches more of how judges err."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from statistics import fmean, pvariance
from typing import NamedTuple

from llmops import jsonl
from llmops.agreement import items, verdict_of
from llmops.draws import Draw, draws_file, read_draws
from llmops.errors import UserError
from llmops.labelling import csv_to_label, labels_file, read_labels
from llmops.places import Places, newest
from llmops.records import Example, Label, Response, Score
from llmops.scores import measured
from llmops.stats.unequal import factor, systematic
from llmops.suites import load_suite

UNIFORM = 0.2
"""Part of each chance that is the same for all, so that a stratum taken for sure is looked at too and no
weight grows without bounds (Zrnic and Candès 2024, section 4)."""
UNKNOWN_VARIANCE = 0.25
"""Of labels of 0 and 1, before anything is labelled."""


class Wish(NamedTuple):
    """What is asked for."""

    examples: int
    """How many; each with the answers of all runs."""
    at: str
    """ISO 8601."""
    seed: int = 0
    random: bool = False
    """All examples alike."""


def draw_next(root: Path, suite: str, wish: Wish, file: Path) -> str:
    """Draw examples that nobody labelled, write their answers to a CSV file, and return a line about it.

    The draw is written beside the labels, since the corrected scores are weighted by its chances.

    Raises:
        UserError: a wish for none, no results, no judge, or every example is labelled.
    """
    if wish.examples < 1:
        raise UserError(f"label next: -n is {wish.examples}; draw at least 1")
    places = newest(root, suite).get(suite)
    if places is None:
        raise UserError(f"{suite}: has no results; run `llmops run {suite}` first")
    examples = list(jsonl.read(places.suite(suite, "examples.jsonl"), Example))
    labels = _labels(root, suite, examples)
    judged = _judged(root, places, suite)
    weights = dict.fromkeys(judged, 1.0) if wish.random else weighed(judged, labels)
    draws = _drawn(read_draws(root, suite), weights, {label.example_id for label in labels}, wish)
    chosen = {draw.example_id for draw in draws if draw.drawn and draw.round == draws[-1].round}
    _write_csv(places, suite, examples, [*chosen], wish, file)
    jsonl.write(draws_file(root, suite), draws)
    path = draws_file(root, suite).relative_to(root)
    return (
        f"{file}: {len(chosen):,} examples; write `annotator` and `label` on each row, then "
        f"`llmops label import {file}`; keep {path}"
    )


def _labels(root: Path, suite: str, examples: Sequence[Example]) -> list[Label]:
    path = labels_file(root, suite)
    return read_labels(path, suite, {example.id for example in examples}) if path.is_file() else []


def _judged(root: Path, places: Places, suite: str) -> dict[str, list[Score]]:
    """Return example id → what judges gave its answers."""
    judges = load_suite(root, suite).judges
    found: dict[str, list[Score]] = defaultdict(list)
    for score in measured(places.suite(suite)):
        if score.metric.partition(".")[0] in judges and score.missing != "unasked":
            found[score.example_id].append(score)
    if not found:
        raise UserError(f"{suite}: no judge gave verdicts; name one in `judges:`, or `llmops label export`")
    return found


def weighed(judged: Mapping[str, Sequence[Score]], labels: Sequence[Label]) -> dict[str, float]:
    """Return example id → its weight: the spread that labels have where verdicts are like its own.

    That spread, by verdict, is the residual standard deviation that the best chances are in proportion to
    (Zrnic and Candès 2024, arXiv 2403.03208, section 3), shrunk to that of all labels by one of them.
    """
    spreads = _spreads([score for scores in judged.values() for score in scores], labels)
    variances = {
        example_id: fmean(spreads[score.metric](score) for score in scores)
        for example_id, scores in judged.items()
    }
    usual = fmean(math.sqrt(variance) for variance in variances.values())
    return {
        example_id: UNIFORM + (1 - UNIFORM) * (math.sqrt(variance) / usual if usual else 1.0)
        for example_id, variance in variances.items()
    }


class _Spread:
    """The variance of one metric's labels by the judge's verdict."""

    def __init__(self, scores: Sequence[Score], labels: Sequence[Label], criterion: str) -> None:
        words = {score.read: score.value for score in scores if score.read is not None}
        self.numeric = any(isinstance(label.label, float) for label in labels)
        self.strata: dict[str | float | None, list[float]] = defaultdict(list)
        for item in items(scores, labels, criterion):
            said = [each if isinstance(each, float) else words.get(each) for each in item.labels.values()]
            self.strata[item.verdict] += [value for value in said if value is not None]
        every = [value for values in self.strata.values() for value in values]
        self.usual = pvariance(every) if len(every) > 1 else UNKNOWN_VARIANCE

    def __call__(self, score: Score) -> float:
        values = self.strata.get(verdict_of(score, self.numeric), [])
        within = pvariance(values) * len(values) if values else 0.0
        return (within + self.usual) / (len(values) + 1)


def _spreads(scores: Iterable[Score], labels: Sequence[Label]) -> dict[str, _Spread]:
    by_metric: dict[str, list[Score]] = defaultdict(list)
    for score in scores:
        by_metric[score.metric].append(score)
    return {metric: _Spread(found, labels, metric.partition(".")[2]) for metric, found in by_metric.items()}


def _drawn(earlier: list[Draw], weights: Mapping[str, float], labelled: set[str], wish: Wish) -> list[Draw]:
    """Return the earlier draws with a round more; the labels before the first are a round of their own."""
    open_ = [example_id for example_id in weights if example_id not in labelled]
    if not open_:
        raise UserError(
            f"label next: all {len(weights):,} judged examples are labelled; none is left to draw"
        )
    made = earlier or list(_first(weights, labelled, wish))
    by = factor([weights[example_id] for example_id in open_], wish.examples)
    likely = {example_id: min(1.0, by * weight) for example_id, weight in weights.items()}
    number = made[-1].round + 1 if made else 1
    chosen = set(systematic({i: likely[i] for i in open_}, Random(f"{wish.seed}:{number}")))
    return [*made, *(Draw(number, i, q, i in chosen, wish.at, wish.seed) for i, q in likely.items())]


def _first(weights: Mapping[str, float], labelled: set[str], wish: Wish) -> Iterator[Draw]:
    known = labelled & set(weights)
    if known:
        share = len(known) / len(weights)
        # Labels of examples that this run did not ask were drawn all the same.
        everyone = [*weights, *sorted(labelled - set(weights))]
        yield from (Draw(0, i, share, i in labelled, wish.at, wish.seed) for i in everyone)


def _write_csv(
    places: Places, suite: str, examples: Sequence[Example], chosen: list[str], wish: Wish, file: Path
) -> None:
    """Write the answers by example in random order, so that who stops early labelled a random part."""
    order = sorted(chosen)
    Random(wish.seed).shuffle(order)
    place = {example_id: number for number, example_id in enumerate(order)}
    responses = [
        r for r in jsonl.read(places.suite(suite, "responses.jsonl"), Response) if r.example_id in place
    ]
    responses.sort(key=lambda response: place[response.example_id])
    inputs = {example.id: example.inputs for example in examples if example.id in place}
    jsonl.write_text(file, csv_to_label(responses, inputs))
