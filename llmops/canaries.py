"""Canaries: examples frozen with what a suite's models answered to them, and how that was scored."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from llmops import jsonl
from llmops.errors import UserError
from llmops.record import Record
from llmops.records import Example, Response, Score

FOLDER = "data/canaries"
Answered = TypeVar("Answered", Response, Score)


class Canary(Record):
    """One frozen example."""

    at: str
    """When its answers were asked, ISO 8601, UTC."""
    example: Example
    responses: list[Response]
    """Of every model × prompt, as often as the suite repeats."""
    scores: list[Score] = []
    judged: list[Score] = []
    """What judges gave the responses when they were frozen."""


def canary_file(root: Path, suite: str) -> Path:
    """Return where a suite's canaries are kept: small, and meant for git."""
    return root / FOLDER / f"{suite}.jsonl"


def frozen(
    at: str,
    examples: Iterable[Example],
    responses: Iterable[Response],
    scores: Iterable[Score],
    judged: Iterable[Score] = (),
) -> Iterator[Canary]:
    """Yield a canary for each example that was answered at all."""
    answers, plain, given = _by_example(responses), _by_example(scores), _by_example(judged)
    for example in examples:
        if any(response.error is None for response in answers[example.id]):
            yield Canary(at, example, answers[example.id], plain[example.id], given[example.id])


def read_canaries(root: Path, suite: str) -> list[Canary]:
    """Return the suite's canaries.

    Raises:
        UserError: there are none.
    """
    path = canary_file(root, suite)
    if not path.is_file():
        raise UserError(f"{path}: no canaries; `llmops sentinel {suite} --freeze` asks and keeps them")
    return list(jsonl.read(path, Canary))


def hold_to_prompts(suite: str, then: Sequence[Canary], now: Iterable[Response]) -> None:
    """Refuse answers to other messages than the frozen ones, which would tell of the edit.

    Raises:
        UserError: a prompt was edited since, or no model × prompt is among the frozen ones.
    """
    asked = {_question(response): response for canary in then for response in canary.responses}
    common = [(asked[_question(r)], r) for r in now if _question(r) in asked]
    if not common:
        raise UserError(f"{suite}: no model and prompt of it has canaries; freeze it anew")
    for before, after in common:
        if before.turns and after.turns and before.turns[0].messages != after.turns[0].messages:
            raise UserError(
                f"{suite}: {after.model} · {after.prompt}: {after.example_id!r} is asked with other messages"
                f" than when it was frozen; take back the edit, or freeze it anew"
            )


def _question(response: Response) -> tuple[str, str, str]:
    return response.model, response.prompt, response.example_id


def _by_example(rows: Iterable[Answered]) -> dict[str, list[Answered]]:
    found: dict[str, list[Answered]] = defaultdict(list)
    for row in rows:
        found[row.example_id].append(row)
    return found
