"""What a run was made from, told to MLflow: its prompt in the registry, its data set among the inputs."""

import contextlib
import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from llmops.record import Record
from llmops.records import Example
from llmops.replies import Message

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput
    from mlflow.entities.model_registry import PromptVersion

PAGE = 50


class PromptText(Record, frozen=True, kw_only=True):
    """A prompt as it stands in its file.

    ``messages`` are the templates with the few-shot turns in their place; ``sha256`` is the hash
    of what the prompt says.
    """

    name: str
    messages: list[Message]
    sha256: str


class DataSet(Record, frozen=True, kw_only=True):
    """A data set as a suite used it: ``source`` is the address or path that it came from."""

    name: str
    source: str
    sha256: str
    examples: list[Example]


def registered(client: "MlflowClient", prompt: PromptText, experiment_id: str) -> "PromptVersion":
    """Return the registry's version that says what the prompt says, made when there is none."""
    name = registry_name(prompt.name)
    template: list[dict[str, Any]] = [{"role": m.role, "content": m.content} for m in prompt.messages]
    _enter(client, name, prompt.name, experiment_id)
    for version in _versions(client, name):
        if version.template == template:
            return version
    tags = {"prompt": prompt.name, "sha256": prompt.sha256}
    made: PromptVersion = client.create_prompt_version(name, template, tags=tags)
    return made


def registry_name(name: str) -> str:
    """Return the name in the registry's characters: ASCII letters, digits, ``-``, ``_`` and ``.``.

    >>> registry_name("support/v1")
    'support.v1'
    """
    kept = re.sub(r"[^a-zA-Z0-9_.\-]", "_", name.replace("/", "."))
    if kept == name.replace("/", "."):
        return kept
    return f"{kept}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"


def _enter(client: "MlflowClient", name: str, ours: str, experiment_id: str) -> None:
    """See that the prompt exists, and that MLflow shows it beside the experiment."""
    from mlflow.exceptions import MlflowException
    from mlflow.prompt.constants import PROMPT_EXPERIMENT_IDS_TAG_KEY

    with contextlib.suppress(MlflowException):  # it exists already, perhaps since this moment
        client.create_prompt(name, tags={"prompt": ours})
    known = client.get_prompt(name)
    linked = (known.tags if known else {}).get(PROMPT_EXPERIMENT_IDS_TAG_KEY, "").strip(",").split(",")
    if experiment_id not in linked:
        ids = ",".join(filter(None, [*linked, experiment_id]))
        client.set_prompt_tag(name, PROMPT_EXPERIMENT_IDS_TAG_KEY, f",{ids},")


def _versions(client: "MlflowClient", name: str) -> "Iterator[PromptVersion]":
    token = None
    while True:
        page = client.search_prompt_versions(name, max_results=PAGE, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def links(version: "PromptVersion | None") -> dict[str, str]:
    """Return the tag by which MLflow shows a prompt's version beside a run or a trace."""
    from mlflow.tracing.constant import TraceTagKey

    if version is None:
        return {}
    return {TraceTagKey.LINKED_PROMPTS: json.dumps([{"name": version.name, "version": str(version.version)}])}


def dataset_input(dataset: DataSet) -> "DatasetInput":
    """Return the data set as an input of a run: its columns, its size and where it came from.

    MLflow's digest has room for 36 characters: it is the beginning of the sha256.
    """
    from mlflow.entities import Dataset, DatasetInput, InputTag
    from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT

    rows = [_row(example) for example in dataset.examples]
    columns = _columns(rows)
    source_type, source = _source(dataset.source)
    entity = Dataset(
        name=dataset.name,
        digest=dataset.sha256[:36],
        source_type=source_type,
        source=json.dumps(source, ensure_ascii=False),
        schema=json.dumps({"mlflow_colspec": columns}, ensure_ascii=False),
        profile=json.dumps({"num_rows": len(rows), "num_elements": len(rows) * len(columns)}),
    )
    tags = {MLFLOW_DATASET_CONTEXT: "evaluation", "sha256": dataset.sha256}
    return DatasetInput(entity, [InputTag(name, value) for name, value in tags.items()])


def _row(example: Example) -> dict[str, Any]:
    columns = {"id": example.id, **example.inputs, "target": example.target, **example.slices}
    return {name: value for name, value in columns.items() if value is not None}


TYPES: dict[type, str] = {str: "string", bool: "boolean", int: "long", float: "double"}


def _columns(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return MLflow's description of the columns, in the order in which they first appear."""
    names = dict.fromkeys(name for row in rows for name in row)
    return [_column(name, [row[name] for row in rows if name in row], len(rows)) for name in names]


def _column(name: str, values: Sequence[Any], rows: int) -> dict[str, Any]:
    kinds = {TYPES.get(type(value), "any") for value in values}
    kind = kinds.pop() if len(kinds) == 1 else "any"
    return {"type": kind, "name": name, "required": len(values) == rows}


def _source(source: str) -> tuple[str, dict[str, str]]:
    if source.startswith(("http://", "https://")):
        return "http", {"url": source}
    return "local", {"uri": source}
