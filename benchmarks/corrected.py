"""How often each interval around a judged score holds the truth: `python -m benchmarks.corrected`."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from llmops.stats.corrected import corrected_mean, labels_only
from llmops.stats.estimate import mean
from llmops.stats.interval import Interval
from llmops.stats.rogan_gladen import Errors, rogan_gladen

DRAWS = 2000


class World(NamedTuple):
    """What is true, how the judge errs, how much is labelled."""

    truth: float
    sensitivity: float
    specificity: float
    judged: int
    labels: int
    active: bool = False
    """Answers that the judge rejects are labelled five times as often."""


class Held(NamedTuple):
    """One interval's coverage and its mean width over the draws."""

    coverage: float
    width: float


WORLDS = (
    World(0.8, 0.92, 0.6, 1000, 50),
    World(0.8, 0.92, 0.6, 1000, 150),
    World(0.8, 0.92, 0.6, 200, 100),
    World(0.95, 0.95, 0.9, 1000, 50),
    World(0.5, 0.7, 0.7, 1000, 100),
    World(0.6, 0.97, 0.95, 2000, 30),
    World(0.6, 1.0, 0.98, 2000, 20),
    World(0.8, 0.92, 0.6, 1000, 150, active=True),
)


class Drawn(NamedTuple):
    """One draw: the judge's values, the labels where there are any, the chances of a label."""

    judged: list[float]
    labels: list[float | None]
    chances: list[float] | None


def drawn(world: World, rng: np.random.Generator) -> Drawn:
    """Return one draw of a world."""
    truth = rng.random(world.judged) < world.truth
    says_yes = np.where(truth, world.sensitivity, 1 - world.specificity)
    judged = rng.random(world.judged) < says_yes
    if world.active:
        odds = np.where(judged, 1.0, 5.0)
        chances = np.minimum(1.0, world.labels * odds / odds.sum())
        labelled = rng.random(world.judged) < chances
    else:
        chances = None
        labelled = np.zeros(world.judged, bool)
        labelled[rng.choice(world.judged, world.labels, replace=False)] = True
    labels = [float(y) if known else None for y, known in zip(truth, labelled, strict=True)]
    return Drawn(judged.astype(float).tolist(), labels, None if chances is None else chances.tolist())


def naive(draw: Drawn) -> Interval:
    """Return the judge's mean, its errors left as they are."""
    return mean(draw.judged)


def corrected(draw: Drawn) -> Interval:
    """Return the mean corrected by the labels."""
    return corrected_mean(draw.judged, draw.labels, draw.chances).interval


def of_labels(draw: Drawn) -> Interval:
    """Return the labels' own mean."""
    at = [i for i, y in enumerate(draw.labels) if y is not None]
    known = [y for y in draw.labels if y is not None]
    return labels_only(known, None if draw.chances is None else [draw.chances[i] for i in at])


def by_errors(draw: Drawn) -> Interval:
    """Return Rogan and Gladen's share, the errors measured on the labels."""
    pairs = [(f, y) for f, y in zip(draw.judged, draw.labels, strict=True) if y is not None]
    true, false = [f for f, y in pairs if y], [f for f, y in pairs if not y]
    errors = Errors(int(sum(true)), len(true), len(false) - int(sum(false)), len(false))
    rest = [f for f, y in zip(draw.judged, draw.labels, strict=True) if y is None]
    return rogan_gladen(int(sum(rest)), len(rest), errors)


WAYS: dict[str, Callable[[Drawn], Interval]] = {
    "naive": naive,
    "labels only": of_labels,
    "corrected": corrected,
    "Rogan–Gladen": by_errors,
}


def held(world: World, way: Callable[[Drawn], Interval], draws: int = DRAWS, seed: int = 0) -> Held:
    """Return how often the interval holds the truth; an interval that there is not holds everything."""
    rng = np.random.default_rng(seed)
    found = [way(drawn(world, rng)) for _ in range(draws)]
    ends = [(0.0 if i.low is None else i.low, 1.0 if i.high is None else i.high) for i in found]
    inside = sum(low <= world.truth <= high for low, high in ends)
    return Held(inside / draws, sum(high - low for low, high in ends) / draws)


def table(draws: int = DRAWS) -> Iterator[str]:
    """Yield the lines of a Markdown table: coverage in percent, and mean width."""
    yield "| truth | sensitivity | specificity | judged | labels | " + " | ".join(WAYS) + " |"
    yield "|---|---|---|---|---|" + "---|" * len(WAYS)
    for world in WORLDS:
        numbers = " | ".join(_cell(world, name, draws) for name in WAYS)
        labels = f"{world.labels} active" if world.active else str(world.labels)
        about = f"{world.truth} | {world.sensitivity} | {world.specificity} | {world.judged} | {labels}"
        yield f"| {about} | {numbers} |"


def _cell(world: World, name: str, draws: int) -> str:
    # Errors that were counted on chosen examples are not those of all.
    if world.active and name == "Rogan–Gladen":
        return ""
    found = held(world, WAYS[name], draws)
    return f"{100 * found.coverage:.1f} % ({found.width:.3f})"


if __name__ == "__main__":
    print("\n".join(table()))
