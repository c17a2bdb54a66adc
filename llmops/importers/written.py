"""recording -> data/sets/<name>/, prompts/<name>/recorded.yaml: what the stages read."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from llmops import jsonl
from llmops.errors import UserError
from llmops.importers.recording import Question, Recording
from llmops.importers.settings import labels

SETS = "data/sets"
PROMPT = "recorded"


def write(root: Path, recording: Recording) -> None:
    """Write card, examples, recorded answers and the prompt of one data set.

    Raises:
        UserError: a data set or prompt of that name is there.
    """
    folder, prompt = root / SETS / recording.name, root / "prompts" / recording.name / f"{PROMPT}.yaml"
    for path in (folder, prompt):
        if path.exists():
            raise UserError(f"{path}: is there already; give another `--name`, or remove it")
    variables = _variables(recording.questions)
    jsonl.write(folder / "examples.jsonl", (_row(question, variables) for question in recording.questions))
    jsonl.write(folder / "recorded.jsonl", recording.answers)
    jsonl.write_text(folder / "card.yaml", _lines(_card(recording, variables)))
    jsonl.write_text(prompt, _lines(_prompt(recording, variables)))


def _variables(questions: Sequence[Question]) -> list[str]:
    return list(dict.fromkeys(name for question in questions for name in question.inputs))


def _row(question: Question, variables: Sequence[str]) -> dict[str, Any]:
    inputs = {name: question.inputs.get(name) for name in variables}
    cluster = {"cluster": question.cluster} if question.cluster else {}
    return {"id": question.id, **inputs, "target": question.target, **cluster}


def _card(recording: Recording, variables: Sequence[str]) -> Iterator[tuple[str, Any]]:
    clustered = any(question.cluster for question in recording.questions)
    yield "name", recording.name
    yield "description", f"Questions and recorded answers from {recording.tool}."
    yield "licence", "unknown"
    yield "files", [{"path": "examples.jsonl"}, {"path": "recorded.jsonl"}]
    cluster = {"cluster": "cluster"} if clustered else {}
    yield "fields", {"id": "id", "inputs": list(variables), "target": "target", **cluster}
    if known := labels(recording):
        yield "labels", known


def _prompt(recording: Recording, variables: Sequence[str]) -> Iterator[tuple[str, Any]]:
    yield "description", f"What {recording.tool} asked; a recorded answer needs no more."
    lines = [f"{name}: {{{{ {name} }}}}" for name in variables]
    content = "\n".join(lines) if len(variables) > 1 else f"{{{{ {variables[0]} }}}}"
    yield "messages", [{"role": "user", "content": content}]


def _lines(pairs: Iterator[tuple[str, Any]]) -> str:
    """Return YAML: a line for each key, its value as JSON, which is YAML too."""
    return "".join(f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in pairs)
