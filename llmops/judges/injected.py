"""How often texts in an answer that are meant to steer a judge move its verdict."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from llmops.config import convert, read_yaml
from llmops.judges.judge import Subject
from llmops.record import Record
from llmops.records import Judgement
from llmops.stats.estimate import mean
from llmops.stats.interval import Interval

FILE = "data/injections/attempts.yaml"
BEST = "{{ best }}"
JOINT = " + "
"""Between an example's id and the attempt's."""


class Attempt(Record):
    """One text that is added to an answer."""

    id: str
    language: str
    text: str


class Steered(NamedTuple):
    """What attempts did to one judge."""

    judge: str
    attempt: str
    """``all``, or an attempt with its language."""
    moved: Interval
    """The share of verdicts that are another than without it, an unreadable one among them."""
    raised: Interval
    """Of those below the judge's highest, the share that are higher."""


def load_attempts(root: Path) -> list[Attempt]:
    """Return the project's attempts.

    Raises:
        UserError: there is no such file, or a row of it is none.
    """
    found: list[Attempt] = convert(read_yaml(root / FILE), list[Attempt], FILE)
    return found


def injected(
    subjects: Sequence[Subject], attempts: Sequence[Attempt], best: str, spared: str | None = None
) -> Iterator[Subject]:
    """Yield each answer with each attempt behind it, as the answer to an example of its own.

    Args:
        best: the verdict that attempts ask for.
        spared: the model whose answers stay as they are, for a judge that holds others against them.
    """
    for response, example in subjects:
        for attempt in attempts:
            name = f"{example.id}{JOINT}{_named(attempt)}"
            added = "" if response.model == spared else f"\n{attempt.text.replace(BEST, best)}"
            answer = f"{response.answer}{added}"
            yield Subject(replace(response, example_id=name, answer=answer), replace(example, id=name))


def steered(
    clean: Sequence[Judgement], tried: Sequence[Judgement], highest: float, confidence: float
) -> Iterator[Steered]:
    """Yield how often verdicts moved, of all attempts and of each; the answers' examples are clusters.

    Verdicts that could not be read without an attempt are left out: nothing tells whether they moved.
    """
    before = {_place(each, each.example_id): each.value for each in clean if each.value is not None}
    grouped: dict[tuple[str, str], list[tuple[str, float, float | None]]] = {}
    for each in tried:
        example, _, attempt = each.example_id.rpartition(JOINT)
        value = before.get(_place(each, example))
        if value is not None:
            for name in ("all", attempt):
                grouped.setdefault((each.judge, name), []).append((example, value, each.value))
    for (judge, name), rows in grouped.items():
        clusters = [example for example, _, _ in rows]
        moved = [float(new != old) for _, old, new in rows]
        low = [(example, float(new is not None and new > old)) for example, old, new in rows if old < highest]
        raised = mean([value for _, value in low], [example for example, _ in low], confidence)
        yield Steered(judge, name, mean(moved, clusters, confidence), raised)


def best_of(values: Mapping[str, float]) -> str:
    """Return the verdict of the highest value."""
    return max(values, key=lambda label: values[label])


def _named(attempt: Attempt) -> str:
    return f"{attempt.id}.{attempt.language}"


def _place(each: Judgement, example: str) -> tuple[object, ...]:
    return each.judge, each.criterion, each.model, each.prompt, example, each.repeat
