"""Reads the samples that lm-evaluation-harness writes with ``--log_samples``."""

import re
from pathlib import Path
from typing import Any

from llmops.errors import UserError
from llmops.importers.recording import Answer, Part, Question, Recording, as_text, content_of, decoded

NAME = re.compile(r"samples_(?P<task>.+)_(?P<stamp>\d{4}-\d\d-\d\dT[\d.-]+)\.jsonl")
"""How lm-eval names the file; the run's own results lie beside it, under the same stamp."""


class _Sample(Part):
    doc_id: int
    target: Any
    arguments: dict[str, dict[str, Any]]
    """For each request: ``arg_0`` the prompt, ``arg_1`` its settings or the continuation to weigh."""
    resps: list[list[Any]]
    metrics: list[str]
    filter: str = "none"


class _Config(Part):
    model: str
    model_args: dict[str, Any] | str | None = None


class _Results(Part):
    config: _Config
    model_name: str | None = None


def read(path: Path) -> Recording:
    """Return the task's documents as questions and the model's raw responses as answers.

    Of a multiple choice the answer is the continuation of the highest log-likelihood, and the
    target the right continuation. Filters are not carried over, only the scores they led to.

    Raises:
        UserError: another file, a missing field, or no samples.
    """
    name = NAME.fullmatch(path.name)
    model = _model(path, name["stamp"] if name else None)
    questions: dict[str, Question] = {}
    answers: dict[str, Answer] = {}
    for number, line in enumerate(content_of(path).splitlines(), 1):
        where = f"{path}:{number}"
        sample, row = decoded(line, _Sample, where), decoded(line, dict[str, Any], where)
        question, answer = _pair(sample, model, where)
        questions.setdefault(question.id, question)
        answers.setdefault(answer.id, answer).reported.update(_reported(sample, row))
    if not questions:
        raise UserError(f"{path}: is empty; give a file that `lm_eval --log_samples` wrote")
    return Recording(
        "lm-eval", name["task"] if name else path.stem, list(questions.values()), list(answers.values())
    )


def _model(path: Path, stamp: str | None) -> str:
    """Return the model's name from the run's results, else that of the folder, which lm-eval calls so."""
    beside = path.with_name(f"results_{stamp}.json")
    if not beside.is_file():
        return path.resolve().parent.name
    results = decoded(content_of(beside), _Results, beside)
    return results.model_name or results.config.model


def _pair(sample: _Sample, model: str, where: str) -> tuple[Question, Answer]:
    """Return the question and the answer of one line."""
    if not sample.arguments or not sample.resps:
        raise UserError(
            f"{where}: arguments, resps: are empty; give a file that `lm_eval --log_samples` wrote"
        )
    asked = next(iter(sample.arguments.values())).get("arg_0")
    if not isinstance(asked, str):
        raise UserError(f"{where}: arguments: arg_0 is {asked!r}; it must be the prompt, a text")
    told = [arguments.get("arg_1") for arguments in sample.arguments.values()]
    options = [option for option in told if isinstance(option, str)]
    target, answered = _weighed(sample, options, where) if options else _generated(sample)
    question = Question(id=str(sample.doc_id), inputs={"input": asked}, target=target)
    return question, Answer(
        id=question.id,
        model=model,
        input=asked,
        target=target,
        answer=answered,
        error=None if answered is not None else "empty answer",
        reported={},
    )


def _generated(sample: _Sample) -> tuple[str | None, str | None]:
    return as_text(sample.target), as_text(sample.resps[0][0] if sample.resps[0] else None)


def _weighed(sample: _Sample, options: list[str], where: str) -> tuple[str, str]:
    """Return the right continuation and the likeliest, the first of those that are equally likely."""
    if len(set(options)) < max(2, len(options)):
        raise UserError(
            f"{where}: arguments: arg_1: {options} are no choices; import generation or multiple choice"
        )
    try:
        likelihoods = [float(response[0][0]) for response in sample.resps]
        best = likelihoods.index(max(likelihoods))
        return _right(sample.target, [option.strip() for option in options]), options[best].strip()
    except (TypeError, ValueError, IndexError):
        raise UserError(
            f"{where}: target, resps: are {sample.target!r}, {sample.resps!r};"
            " a choice needs its right answer and a log-likelihood for each"
        ) from None


def _right(target: Any, options: list[str]) -> str:
    """Return the option that the target names, by number or, where it is none, by its text."""
    named = str(target).strip()
    if not named.isdigit():
        return options[options.index(named)]
    if named in options and options.index(named) != int(named):
        raise ValueError(named)  # lm-eval logs a text and a number alike
    return options[int(named)]


def _reported(sample: _Sample, row: dict[str, Any]) -> dict[str, float]:
    """Return the line's scores, named as in lm-eval's own results: metric, filter."""
    scores = {metric: row.get(metric) for metric in sample.metrics}
    return {
        f"{metric},{sample.filter}": float(value)
        for metric, value in scores.items()
        if isinstance(value, int | float)
    }
