"""A judge, what it is asked about, and where it asks."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from llmops.judges.ballot import Ballot
from llmops.judges.specs import JudgeSpec
from llmops.prompts import Prompt
from llmops.records import Example, Judgement, Response
from llmops.suites import Baseline


class Subject(NamedTuple):
    """One answer that is judged."""

    response: Response
    example: Example


class Case(NamedTuple):
    """One question to a judge that is a model."""

    subject: Subject
    fields: dict[str, Any]
    """What the prompt may name."""


class Bench(NamedTuple):
    """What judges of one suite share."""

    root: Path
    subjects: Sequence[Subject]
    baseline: Baseline | None
    ask: "Callable[[Judge, Sequence[Case]], Awaitable[list[Response]]]"
    """A judge and its cases → what its model said to each; money is spent here."""
    judgements: Callable[[str], Awaitable[list[Judgement]]]
    """Another judge's name → what it says of the same answers."""


class Judge(NamedTuple):
    """A judge as params.yaml names it."""

    name: str
    spec: JudgeSpec
    sit: "Callable[[Judge, Bench], Awaitable[list[Judgement]]]"
    """Judges everything on the bench."""
    identity: str
    """sha256 of all that can change its verdicts."""
    prompt: Prompt | None = None
    ballot: Ballot | None = None


def judgement(judge: Judge, subject: Subject, **said: Any) -> Judgement:
    """Return what a judge said of one answer."""
    response = subject.response
    return Judgement(
        suite=response.suite,
        example_id=response.example_id,
        model=response.model,
        prompt=response.prompt,
        repeat=response.repeat,
        judge=judge.name,
        identity=judge.identity,
        **said,
    )
