"""What a run was made from, told so that two runs can be held side by side."""

from collections.abc import Iterable, Iterator
from difflib import unified_diff
from typing import Literal

from llmops.record import Record
from llmops.replies import Message

FILE = "manifest.json"

Input = Literal["data", "prompt", "model", "code", "prices", "settings"]

INPUTS: dict[str, Input] = {
    "sha256.examples": "data",
    "suite.dataset": "data",
    "prompt": "prompt",
    "sha256.prompt": "prompt",
    "model": "model",
    "sha256.model": "model",
    "price_table": "prices",
    "price_source": "prices",
    "model.price": "prices",
    "sha256.code": "code",
    "version": "code",
    "git.commit": "code",
    "suite": "settings",
    "generate": "settings",
    "compare": "settings",
}
"""A fact's name, or what stands before its dot → the input that it is of; the longest that fits counts."""

OWN = "sha256.own."
"""Beginning of the facts that say what the run's own rows are, of all those in its suite's files."""


class Manifest(Record):
    """One run's inputs, as they were published."""

    suite: str
    model: str
    prompt: str
    settings: dict[str, str] = {}
    """Dotted name → value, e.g. ``suite.unread`` → ``wrong``."""
    provenance: dict[str, str] = {}
    """Hashes, versions and the model that served, by name."""
    messages: list[Message] = []
    """The prompt's templates."""


class Change(Record):
    """One fact that two runs do not share."""

    input: Input
    name: str
    """``model``, ``sha256.code``, ``suite.unread``, …"""
    before: str | None
    """None when it was not told."""
    after: str | None


def changes(before: Manifest, after: Manifest) -> Iterator[Change]:
    """Yield the facts that the two runs do not share, input by input.

    A commit is told beside a change of code; by itself it is none.
    """
    ours, theirs = _facts(before), _facts(after)
    names = [name for name in dict.fromkeys([*ours, *theirs]) if ours.get(name) != theirs.get(name)]
    if [name for name in names if input_of(name) == "code"] == ["git.commit"]:
        names.remove("git.commit")
    for wanted in dict.fromkeys(INPUTS.values()):
        for name in names:
            if input_of(name) == wanted:
                yield Change(wanted, name, ours.get(name), theirs.get(name))


def _facts(run: Manifest) -> dict[str, str]:
    own = {"suite": run.suite, "model": run.model, "prompt": run.prompt}
    return {**own, **run.settings, **run.provenance}


def input_of(name: str) -> Input | None:
    """Return the input that a fact is of; None for what is no input, such as the gate.

    >>> input_of("model.price.per_hour_usd"), input_of("model.served"), input_of("gate")
    ('prices', 'model', None)
    """
    fitting = [known for known in INPUTS if name == known or name.startswith(f"{known}.")]
    return INPUTS[max(fitting, key=len)] if fitting else None


def prompt_diff(before: Manifest, after: Manifest) -> list[str]:
    """Return a unified diff of what the two prompts say, [] where they say the same."""
    ours, theirs = _lines(before.messages), _lines(after.messages)
    return list(unified_diff(ours, theirs, before.prompt, after.prompt, n=1, lineterm=""))


def _lines(messages: Iterable[Message]) -> list[str]:
    return [f"{message.role}: {line}" for message in messages for line in message.content.splitlines()]
