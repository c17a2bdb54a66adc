"""Responses to Scores: each answer read by its task, and measured by each metric."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from llmops.errors import UserError
from llmops.metrics.measuring import Measured, measure
from llmops.metrics.metric import Metric
from llmops.metrics.unscored import Unscored
from llmops.records import UNASKED, Example, MissingKind, Response, Score
from llmops.tasks.likelihood import answer_by
from llmops.tasks.reading import Reader, Reading

BLOCK = 2048
"""Responses that a metric measures at once: enough to share the cost of a call, few enough to hold."""

Pair = tuple[Response, Example]

NOTHING = Measured(None)


class Answer(NamedTuple):
    """A response beside what its task read in it."""

    response: Response
    reading: Reading
    target: str | None


def beside_examples(
    responses: Iterable[Response], examples: Callable[[], Iterable[Example]]
) -> Iterator[Pair]:
    """Yield each response with its example, holding one of each at a time.

    Both are read in step, the examples once for each run, because a run's responses stand in the order
    of the examples. Responses in another order are found too, at the cost of reading examples again.

    Args:
        examples: gives all examples anew, from the first.

    Raises:
        UserError: a response is the answer to no example.
    """
    following: Iterator[Example] = iter(())
    example: Example | None = None
    for response in responses:
        if example is None or example.id != response.example_id:
            example = _of_id(response.example_id, following)
        if example is None:
            following = iter(examples())
            example = _of_id(response.example_id, following)
        if example is None:
            raise UserError(
                f"responses.jsonl: {response.example_id!r} is no example's id; run `llmops generate` anew"
            )
        yield response, example


def _of_id(example_id: str, following: Iterator[Example]) -> Example | None:
    return next((example for example in following if example.id == example_id), None)


def scored(
    reader: Reader, metrics: Sequence[Metric], pairs: Iterable[Pair], labels: Sequence[str]
) -> Iterator[Score]:
    """Yield one Score for each response and metric, response by response; what has no value has a reason.

    Args:
        pairs: each response with its example, of which a block is held at a time, and all where a
            metric measures whole columns.
        labels: the answers there are, [] where the data set names none; an example's own choices
            go before them.
    """
    for block in _blocks(pairs, whole=any(metric.whole for metric in metrics)):
        answers = {rule: _answers(reader, rule, block, labels) for rule in {m.rule for m in metrics}}
        by_metric = [_scores(metric, answers[metric.rule]) for metric in metrics]
        for scores in zip(*by_metric, strict=True):
            yield from scores


def _blocks(pairs: Iterable[Pair], *, whole: bool) -> Iterator[list[Pair]]:
    rest = iter(pairs)
    while block := list(rest if whole else islice(rest, BLOCK)):
        yield block


def _answers(reader: Reader, rule: str, block: Sequence[Pair], labels: Sequence[str]) -> list[Answer]:
    answers = [answer_by(rule, response, example, labels) for response, example in block]
    return [
        Answer(response, _reading(reader, response, answer, example.choices or labels), example.target)
        for answer, (response, example) in zip(answers, block, strict=True)
    ]


def _reading(reader: Reader, response: Response, answer: str | None, known: Sequence[str]) -> Reading:
    if response.error is not None:
        return Reading(None, f"{response.error.kind}: {response.error.message}")
    return reader(answer or "", known)


def _scores(metric: Metric, answers: Sequence[Answer]) -> list[Score]:
    """Return one Score for each answer; one that cannot be measured has no value but a reason."""
    usable = [
        number
        for number, (_, reading, target) in enumerate(answers)
        if reading.text is not None and (target is not None or not metric.needs_target)
    ]
    reads = [answers[number].reading.text or "" for number in usable]
    targets = [answers[number].target or "" for number in usable]
    found = _silence(metric, answers) | dict(zip(usable, measure(metric, reads, targets), strict=True))
    return [_score(metric, answer, found.get(number, NOTHING)) for number, answer in enumerate(answers)]


def _silence(metric: Metric, answers: Sequence[Answer]) -> dict[int, Measured]:
    """Return what an unread answer adds to a corpus where it counts as wrong: that of an empty answer."""
    if metric.statistics is None:
        return {}
    unread = {
        number: target
        for number, (response, reading, target) in enumerate(answers)
        if response.error is None and reading.text is None and target is not None
    }
    rows = metric.statistics([""] * len(unread), list(unread.values()))
    return {number: Measured(None, row) for number, row in zip(unread, rows, strict=True)}


def _score(metric: Metric, answer: Answer, measured: Measured) -> Score:
    response, reading, target = answer
    missing, reason = _gap(answer, measured.value)
    unscored = isinstance(measured.value, Unscored)
    return Score(
        suite=response.suite,
        example_id=response.example_id,
        model=response.model,
        prompt=response.prompt,
        repeat=response.repeat,
        metric=metric.name,
        value=None if isinstance(measured.value, Unscored) else measured.value,
        read=reading.text,
        target=target,
        missing=missing,
        reason=reason,
        statistics=[] if unscored else list(measured.statistics),
    )


def _gap(answer: Answer, value: float | Unscored | None) -> tuple[MissingKind | None, str | None]:
    """Return why there is no value, (None, None) where there is one."""
    if (fault := answer.response.error) is not None:
        return "unasked" if fault.kind in UNASKED else "error", answer.reading.reason
    if answer.reading.text is None:
        return "unread", answer.reading.reason
    if isinstance(value, Unscored):
        return "no_target", value.reason
    return ("no_target", "the example has no target") if value is None else (None, None)
