"""Prompts: YAML files of messages, rendered by Jinja2 in its sandbox."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import msgspec

from llmops.config import convert, read_yaml
from llmops.conversation import messages_of
from llmops.errors import UserError
from llmops.places import project_file
from llmops.record import Record
from llmops.records import Example
from llmops.replies import Message, ResponseFormat
from llmops.response_format import load_response_format

FOLDER = "prompts"


class Shot(Record):
    """One worked example: what the user says and what the assistant should answer."""

    user: str
    assistant: str


class PromptMessage(Record):
    """One message of a prompt; its content is a template over the example's inputs."""

    role: Literal["system", "user", "assistant"]
    content: str


class PromptFile(Record):
    """What a prompt's YAML file may hold."""

    messages: list[PromptMessage]
    few_shot: list[Shot] = []
    description: str = ""
    conversation: str | None = None
    """The input that holds a conversation: texts of the user's, or messages with a role."""
    response_format: str | dict[str, Any] | None = None
    """A JSON Schema that answers must hold to, or its file below ``prompts/``."""
    repair: str | None = None
    """What a judge is told, once, whose verdict cannot be read; it may name ``problem``."""


class Prompt:
    """A prompt whose templates are compiled and whose variables are known.

    Args:
        name: its path below ``prompts/`` without the ending, e.g. ``support/v1``.
        file: its content.
        response_format: what its answers must be; None for any text.
    """

    def __init__(self, name: str, file: PromptFile, response_format: ResponseFormat | None = None) -> None:
        import jinja2
        import jinja2.meta
        import jinja2.sandbox

        self.name = name
        self.file = file
        self.response_format = response_format
        self.path = f"{FOLDER}/{name}.yaml"
        environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
            undefined=jinja2.StrictUndefined, autoescape=False, keep_trailing_newline=False
        )
        try:
            self._repair = None if file.repair is None else _compiled(environment, file.repair)
            spoken = [(m.role, _compiled(environment, m.content)) for m in file.messages]
        except jinja2.TemplateSyntaxError as problem:
            raise UserError(f"{self.path}: {problem}; content must be a Jinja2 template") from None
        self._head = [(role, text) for role, text in spoken if role == "system"]
        self._rest = [(role, text) for role, text in spoken if role != "system"]
        self._shots = _shots(file)
        parsed = (environment.parse(m.content) for m in file.messages)
        held = {file.conversation} if file.conversation else set()
        self.variables = frozenset(held).union(*(jinja2.meta.find_undeclared_variables(p) for p in parsed))
        self._problem = jinja2.TemplateError

    @property
    def sha256(self) -> str:
        """The hash of what the prompt says: a comment or another line break does not change it."""
        said = msgspec.to_builtins(self.file)
        if self.response_format is not None:
            said["response_format"] = self.response_format.json_schema
        for late in (
            "conversation",
            "response_format",
            "repair",
        ):  # a prompt without them keeps the hash it had
            if said[late] is None:
                del said[late]
        return hashlib.sha256(msgspec.json.encode(said, order="sorted")).hexdigest()

    @property
    def asking(self) -> str | None:
        """How a prompt with a conversation is asked, a key of ``tasks.asking.ASKING``; else None."""
        return None if self.file.conversation is None else "conversation"

    def check(self, example: Example) -> None:
        """Refuse an example that lacks a field that the prompt names.

        Raises:
            UserError: names the missing fields and the fields that there are.
        """
        fields = known_fields(example).keys()
        if not self.variables <= fields:
            missing, known = sorted(self.variables - fields), sorted(fields)
            raise UserError(f"{self.path}: no field {missing[0]!r} in the examples; fields are {known}")

    def render(self, example: Example) -> list[Message]:
        """Return the messages for one example: system messages, few-shot turns, conversation, then the rest.

        Raises:
            UserError: a template fails on this example, or its conversation is none.
        """
        fields = known_fields(example)
        try:
            head = [Message(role, text(fields)) for role, text in self._head]
            rest = [Message(role, text(fields)) for role, text in self._rest]
        except (self._problem, TypeError, ValueError, ArithmeticError) as problem:
            raise UserError(f"{self.path}: example {example.id!r}: {problem}; mend the template") from None
        return self._in_order(head, rest, self._held(example))

    def repaired(self, problem: str) -> Message | None:
        """Return what is said to an answer that has this problem; None where the prompt has no `repair`."""
        return None if self._repair is None else Message("user", self._repair({"problem": problem}))

    def _held(self, example: Example) -> list[Message]:
        if self.file.conversation is None:
            return []
        where = f"{self.path}: conversation: example {example.id!r}: {self.file.conversation}"
        return messages_of(known_fields(example).get(self.file.conversation), where)

    @property
    def templates(self) -> list[Message]:
        """The messages as they are written, few-shot turns in their place."""
        spoken = [Message(role=message.role, content=message.content) for message in self.file.messages]
        head = [message for message in spoken if message.role == "system"]
        return self._in_order(head, [message for message in spoken if message.role != "system"], [])

    def _in_order(self, head: list[Message], rest: list[Message], held: list[Message]) -> list[Message]:
        begun = next((n for n, message in enumerate(held) if message.role != "system"), len(held))
        return [*head, *held[:begun], *self._shots, *held[begun:], *rest]


def _compiled(environment: Any, content: str) -> Callable[[dict[str, Any]], str]:
    """Return what renders a template; one without any mark of Jinja is rendered once."""
    template = environment.from_string(content)
    template.globals = dict(template.globals)  # as a ChainMap they cost most of a rendering
    if "{" not in content:
        constant: str = template.render()
        return lambda fields: constant
    rendered: Callable[[dict[str, Any]], str] = template.render
    return rendered


def _shots(file: PromptFile) -> list[Message]:
    turns: list[Message] = []
    for shot in file.few_shot:
        turns += [Message("user", shot.user), Message("assistant", shot.assistant)]
    return turns


def known_fields(example: Example) -> dict[str, Any]:
    """Return what a prompt may name: the example's inputs, ``contexts``, ``id``, and its choices if any."""
    choices = {"choices": example.choices} if example.choices else {}
    return {"id": example.id, "contexts": example.contexts, **choices, **example.inputs}


def load_prompt(root: Path, name: str) -> Prompt:
    """Return the prompt in ``prompts/<name>.yaml``.

    Raises:
        UserError: no such file (lists those there are), one that leads out of the project, an unknown
            field, a broken template, or no JSON Schema.
    """
    path = root / FOLDER / f"{name}.yaml"
    if not path.is_file():
        known = sorted(
            p.relative_to(root / FOLDER).with_suffix("").as_posix() for p in (root / FOLDER).rglob("*.yaml")
        )
        raise UserError(f"params.yaml: suites: no prompt {name!r} in {FOLDER}/; prompts are {known}")
    where = path.relative_to(root).as_posix()
    project_file(root, where, "params.yaml: suites: prompts")
    file: PromptFile = convert(read_yaml(path), PromptFile, where)
    if not file.messages and file.conversation is None:
        raise UserError(f"{where}: no messages; a prompt needs at least one")
    told = file.response_format
    schema = None if told is None else load_response_format(root, told, f"{where}: response_format")
    return Prompt(name, file, schema)
