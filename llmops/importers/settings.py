"""What params.yaml needs so that a recording runs: a suite, and a model for each that answered."""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from statistics import fmean

from llmops.errors import UserError
from llmops.importers.recording import Recording
from llmops.metrics.match import exact_number

MOST_LABEL_CHARACTERS = 60
EXAMPLES_A_LABEL = 3
"""Targets that recur so often are taken for labels."""
TOLD = ("latency_s", "input_tokens", "output_tokens", "cost_usd")


def settings(recording: Recording) -> str:
    """Return the lines to paste into params.yaml, and as comments what the tool itself reported."""
    models = list(dict.fromkeys(answer.model for answer in recording.answers))
    return "\n".join(
        [
            "# Below `suites:` of params.yaml; look at task and metrics.",
            *_suite(recording, models),
            "# Below `models:`.",
            *_models(recording, models),
            *(f"# {line}" for line in _reports(recording)),
            *(f"# {note}" for note in recording.notes),
        ]
    )


def labels(recording: Recording) -> list[str] | str | None:
    """Return the card's labels: those the tool names, ``from_targets`` where targets recur, else None."""
    if recording.labels:
        return list(recording.labels)
    targets = _targets(recording)
    few = 2 <= len(set(targets)) <= len(targets) / EXAMPLES_A_LABEL
    short = all(len(target) <= MOST_LABEL_CHARACTERS for target in targets)
    return "from_targets" if few and short and not _numbers(targets) else None


def _task(recording: Recording) -> tuple[str, str]:
    """Return the task that suits the targets, and its metrics."""
    if labels(recording):
        return "label", "label_accuracy"
    if _numbers(_targets(recording)):
        return "number", "numeric_match"
    return "text", "exact_match, normalised_match"


def _targets(recording: Recording) -> list[str]:
    return [question.target for question in recording.questions if question.target is not None]


def _numbers(targets: Sequence[str]) -> bool:
    try:
        return bool([exact_number(target) for target in targets])
    except UserError:
        return False


def _suite(recording: Recording, models: Sequence[str]) -> Iterator[str]:
    task, metrics = _task(recording)
    prompt = _key(f"{recording.name}/recorded")
    yield f"  {_key(recording.name)}:"
    yield f"    dataset: {_key(recording.name)}"
    yield f"    task: {task}"
    yield f"    prompts: [{prompt}]"
    yield f"    models: [{', '.join(map(_key, models))}]"
    yield f"    metrics: [{metrics}]"
    if len(models) > 1:
        yield f"    baseline: {{model: {_key(models[0])}, prompt: {prompt}}}"


def _models(recording: Recording, models: Sequence[str]) -> Iterator[str]:
    yield f"  {_key(models[0])}:"
    yield f"    &{_anchor(recording)}"
    yield "    kind: recorded"
    yield f"    dataset: {_key(recording.name)}"
    yield "    file: recorded.jsonl"
    yield f"    where: {{model: {_key(models[0])}}}"
    yield "    answer: answer"
    yield "    model: served_model"
    for field in TOLD:
        if any(getattr(answer, field) is not None for answer in recording.answers):
            yield f"    {field}: {field}"
    for model in models[1:]:
        yield f"  {_key(model)}: {{<<: *{_anchor(recording)}, where: {{model: {_key(model)}}}}}"


def _anchor(recording: Recording) -> str:
    return "".join(char if char.isascii() and char.isalnum() else "_" for char in recording.name)


def _key(name: str) -> str:
    """Return the name as YAML writes it: in quotes where it would be read as something else."""
    bare = name[0].isascii() and name[0].isalpha() and name.lower() not in ("true", "false", "null")
    return name if bare else json.dumps(name, ensure_ascii=False)


def _reports(recording: Recording) -> Iterator[str]:
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for answer in recording.answers:
        for metric, value in answer.reported.items():
            found[answer.model, metric].append(value)
    for (model, metric), values in found.items():
        yield f"{recording.tool} reported {metric} {fmean(values):.4g} of {len(values)} for {model}"
