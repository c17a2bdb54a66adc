"""Reads a log of Inspect, JSON or ``.eval``."""

import string
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from llmops.errors import UserError
from llmops.importers.recording import Answer, Part, Question, Recording, as_text, content_of, decoded
from llmops.importers.zipped import members

GRADES = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0}
"""Inspect's letters for correct, partly, incorrect and no answer, as its own ``mean`` counts them."""


class _Eval(Part):
    task: str
    model: str


class _Header(Part):
    eval: _Eval
    status: str


class _Usage(Part):
    input_tokens: int = 0
    output_tokens: int = 0
    input_tokens_cache_read: int | None = None
    input_tokens_cache_write: int | None = None
    total_cost: float | None = None


class _Output(Part):
    model: str | None = None
    completion: str = ""
    time: float | None = None


class _Score(Part):
    value: Any = None


class _Error(Part):
    message: str


class _Message(Part):
    role: str
    content: Any = None


class _Sample(Part):
    id: int | str
    epoch: int
    input: str | list[_Message]
    target: str | list[str]
    output: _Output
    choices: list[str] | None = None
    messages: list[_Message] = []
    scores: dict[str, _Score] | None = None
    model_usage: dict[str, _Usage] = {}
    attachments: dict[str, str] = {}
    error: _Error | None = None


class _Log(_Header):
    samples: list[_Sample]


def read(path: Path) -> Recording:
    """Return the log's samples: each a question, its repeats (epochs) a cluster of questions.

    The answer is the last model output; the latency is known where the model was called once. A
    sample with several right answers has no target.

    Raises:
        UserError: another file, an unfinished log, a missing field, or a log without samples.
    """
    header, samples = _parts(path)
    if not samples:
        raise UserError(f"{path}: samples: is empty; log samples (`--log-samples`), and give that log")
    repeated = len({sample.epoch for sample in samples}) > 1
    questions = [_question(sample, repeated=repeated) for sample in samples]
    answers = [_answer(header, s, q) for s, q in zip(samples, questions, strict=True)]
    many = sum(isinstance(sample.target, list) and len(sample.target) > 1 for sample in samples)
    notes = [f"{many} samples have several right answers, so no target"] if many else []
    return Recording(
        "inspect", header.eval.task.rpartition("/")[2], questions, answers, _letters(samples), notes
    )


def _parts(path: Path) -> tuple[_Header, list[_Sample]]:
    if path.suffix != ".eval":
        log = decoded(content_of(path), _Log, path)
        return log, log.samples
    found = members(path)
    if "header.json" not in found:
        raise UserError(
            f"{path}: has no header.json, so its run was cut short; finish it with `inspect eval-retry`"
        )
    header = decoded(found["header.json"](), _Header, f"{path}: header.json")
    names = [name for name in found if name.startswith("samples/") and name.endswith(".json")]
    samples = [decoded(found[name](), _Sample, f"{path}: {name}") for name in names]
    return header, sorted(samples, key=lambda sample: sample.epoch)


def _question(sample: _Sample, *, repeated: bool) -> Question:
    told = sample.target if isinstance(sample.target, list) else [sample.target]
    return Question(
        id=f"{sample.id}#{sample.epoch}" if repeated else str(sample.id),
        inputs={"input": _asked(sample)},
        target=as_text(told[0]) if len(told) == 1 else None,
        cluster=str(sample.id) if repeated else None,
    )


def _asked(sample: _Sample) -> str:
    """Return the question as one text, with the choices there were."""
    if isinstance(sample.input, str):
        text = _whole(sample, sample.input)
    elif len(sample.input) == 1:
        text = _whole(sample, _spoken(sample.input[0].content))
    else:
        text = "\n".join(f"{m.role}: {_whole(sample, _spoken(m.content))}" for m in sample.input)
    letters = zip(string.ascii_uppercase, sample.choices or [], strict=False)
    return "\n".join([text, *(f"{letter}) {choice}" for letter, choice in letters)])


def _spoken(content: Any) -> str:
    parts: Iterable[Any] = content if isinstance(content, list) else [{"text": content}]
    return "\n".join(str(part["text"]) for part in parts if isinstance(part, Mapping) and part.get("text"))


def _whole(sample: _Sample, text: str) -> str:
    """Return a text that Inspect may have put aside under its hash."""
    return sample.attachments.get(text.removeprefix("attachment://"), text)


def _letters(samples: Iterable[_Sample]) -> str:
    return string.ascii_uppercase[: max(len(sample.choices or ()) for sample in samples)]


def _answer(header: _Header, sample: _Sample, question: Question) -> Answer:
    usage = sample.model_usage.values()
    calls = sum(message.role == "assistant" for message in sample.messages)
    answered = as_text(_whole(sample, sample.output.completion))
    failed = sample.error.message if sample.error else None
    costs = [each.total_cost for each in usage]
    return Answer(
        id=question.id,
        model=header.eval.model,
        input=question.inputs["input"],
        target=question.target,
        answer=None if failed else answered,
        served_model=sample.output.model,
        latency_s=sample.output.time if calls == 1 else None,
        input_tokens=sum(map(_input, usage)) if usage else None,
        output_tokens=sum(each.output_tokens for each in usage) if usage else None,
        cost_usd=sum(c for c in costs if c is not None) if costs and None not in costs else None,
        error=failed or (None if answered is not None else "empty answer"),
        reported=_reported(sample),
    )


def _input(usage: _Usage) -> int:
    return usage.input_tokens + (usage.input_tokens_cache_read or 0) + (usage.input_tokens_cache_write or 0)


def _reported(sample: _Sample) -> dict[str, float]:
    scores = ((name, score.value) for name, score in (sample.scores or {}).items())
    graded = ((name, GRADES.get(value) if isinstance(value, str) else value) for name, value in scores)
    return {name: float(value) for name, value in graded if isinstance(value, int | float)}
