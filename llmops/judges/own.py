"""Answers judged by a function of the project's own."""

from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any

from llmops.judges.grading import unanswered
from llmops.judges.judge import Bench, Judge, Subject, judgement
from llmops.judges.specs import PythonJudgeSpec
from llmops.metrics.own import own_function
from llmops.records import Judgement


async def reckoned(judge: Judge, bench: Bench) -> list[Judgement]:
    """Return what the function says of every answer.

    It takes the Example and the Response and returns a number, True or False, or criterion → number;
    None, or an exception of its own, leaves the answer without a verdict and says so.
    """
    assert isinstance(judge.spec, PythonJudgeSpec)  # noqa: S101 - for mypy
    function, _ = own_function(f"{judge.spec.file}:{judge.spec.function}", bench.root)
    found: list[Judgement] = []
    for subject in bench.subjects:
        if why := unanswered(subject):
            found.append(judgement(judge, subject, missing=why[0], reason=why[1]))
        else:
            found += _said(judge, subject, _called(function, subject))
    return found


def _called(function: Any, subject: Subject) -> Any:
    try:
        return function(subject.example, subject.response)
    except Exception as problem:  # the project's code may raise anything
        return f"{type(problem).__name__}: {problem}"


def _said(judge: Judge, subject: Subject, given: Any) -> Iterator[Judgement]:
    verdicts = given if isinstance(given, Mapping) else {"": given}
    for criterion, value in verdicts.items():
        if isinstance(value, int | float) and isfinite(value):
            yield judgement(judge, subject, criterion=str(criterion), value=float(value))
        else:
            why = value if isinstance(value, str) else f"the function gave {value!r}, which is no number"
            yield judgement(judge, subject, criterion=str(criterion), missing="unjudged", reason=why)
