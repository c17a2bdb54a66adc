"""Reads what ``promptfoo eval -o results.json`` writes."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from llmops.errors import UserError
from llmops.importers.recording import Answer, Part, Question, Recording, as_text, content_of, decoded

LONGEST_LABEL = 30
"""A prompt without a label is labelled with its own text, which is no name."""
RESERVED = ("id", "target", "cluster", "contexts")
"""Words of ours that a variable may not take: it gets an underscore behind it."""


class _Usage(Part):
    prompt: int | None = None
    completion: int | None = None


class _Response(Part, rename="camel"):
    output: Any = None
    cost: float | None = None
    cached: bool = False
    token_usage: _Usage | None = None
    error: str | None = None


class _Prompt(Part):
    raw: str
    label: str | None = None


class _Provider(Part):
    id: str
    label: str | None = None


class _Assertion(Part):
    type: str
    value: Any = None


class _Test(Part):
    asserts: list[_Assertion] = msgspec.field(name="assert", default_factory=list)


class _Result(Part, rename="camel"):
    """One cell of the table: a test through one prompt of one provider."""

    vars: dict[str, Any]
    prompt: _Prompt
    provider: _Provider
    prompt_idx: int
    test_idx: int
    success: bool
    response: _Response | None = None
    test_case: _Test | None = None
    latency_ms: float | None = None
    error: str | None = None


class _Results(Part):
    results: list[_Result]


class _File(Part):
    results: _Results


def read(path: Path) -> Recording:
    """Return promptfoo's table: each test a question, each provider (× prompt, where several) a model.

    The target is what an ``equals`` assertion asks for; other assertions have none. An answer from
    promptfoo's own cache has no latency and no cost.

    Raises:
        UserError: another file, a missing field, or no results.
    """
    cells = decoded(content_of(path), _File, path).results.results
    if not cells:
        raise UserError(f"{path}: results.results: is empty; give the results of an evaluation")
    questions = {str(cell.test_idx): _question(cell) for cell in cells}
    prompts = list(dict.fromkeys(cell.prompt.label or "" for cell in cells))
    unaimed = sum(question.target is None for question in questions.values())
    notes = (
        [f"{unaimed} of {len(questions)} tests have no `equals` assertion, so no target"] if unaimed else []
    )
    answers = [_answer(cell, questions[str(cell.test_idx)], prompts) for cell in cells]
    return Recording("promptfoo", path.stem, list(questions.values()), answers, notes=notes)


def _question(cell: _Result) -> Question:
    inputs = {f"{name}_" if name in RESERVED else name: value for name, value in cell.vars.items()}
    asserts = cell.test_case.asserts if cell.test_case else []
    return Question(
        id=str(cell.test_idx), inputs=inputs or {"input": cell.prompt.raw}, target=_target(asserts, cell.vars)
    )


def _target(asserts: Iterable[_Assertion], variables: Mapping[str, Any]) -> str | None:
    """Return what the first ``equals`` asks for, a ``{{ variable }}`` in it filled in."""
    wanted = next((each.value for each in asserts if each.type == "equals"), None)
    text = as_text(wanted)
    if text is None:
        return None
    return re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda found: as_text(variables.get(found[1])) or found[0], text)


def _model(cell: _Result, prompts: Sequence[str]) -> str:
    """Return the provider's name, with the prompt's where there are several."""
    provider, label = cell.provider.label or cell.provider.id, cell.prompt.label or ""
    if len(prompts) == 1:
        return provider
    named = len(label) <= LONGEST_LABEL and "{{" not in label
    return f"{provider} {label if named else f'prompt-{prompts.index(label) + 1}'}"


def _answer(cell: _Result, question: Question, prompts: Sequence[str]) -> Answer:
    response = cell.response or _Response(error=cell.error or "no response")
    usage = response.token_usage or _Usage()
    answered = as_text(response.output)
    return Answer(
        id=question.id,
        model=_model(cell, prompts),
        input=cell.prompt.raw,
        target=question.target,
        answer=answered,
        served_model=cell.provider.id,
        latency_s=None if response.cached or cell.latency_ms is None else cell.latency_ms / 1000,
        input_tokens=usage.prompt,
        output_tokens=usage.completion,
        cost_usd=None if response.cached else response.cost,
        error=None if answered is not None else response.error or cell.error or "empty answer",
        reported={"pass": float(cell.success)},
    )
