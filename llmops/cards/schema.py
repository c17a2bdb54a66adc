"""What a card may say, key by key."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from llmops.record import Record

FROM_TARGETS = "from_targets"


class CardFile(Record, frozen=True):
    """One file: ``path`` beside the card, or a public ``url`` with its ``sha256``, kept as ``name``."""

    path: str | None = None
    name: str | None = None
    url: str | None = None
    source: str | None = None
    """In place of a url: what it was made from, and how, where it is not published as one file."""
    sha256: str | None = None

    @property
    def kept_as(self) -> str:
        """The file's name in the data set's raw folder."""
        return self.path or self.name or ""


class Extract(Record, frozen=True):
    """What is made of a field: a part of it, or the letter of the choice that it names."""

    field: str
    pattern: str | None = None
    """The one group of what this matches when searched for."""
    letter: bool = False
    """The letter of the choice that the field holds, as its text or as its index from 0."""


class Join(Record, frozen=True):
    """Another file's rows about the same examples, each added to its row under the join's name."""

    files: str | list[str]
    """Names or patterns, e.g. ``answers/*.jsonl``."""
    match: dict[str, str]
    """Field of the row → field of the other row; they name the same example where all are equal."""
    where: dict[str, Any] = {}
    """Field → value: the rows that are meant; all when empty."""


class Fields(Record, frozen=True):
    """Which field of a row becomes which part of an Example.

    A field may be a dotted path (``labels.score``, ``turns.0``). Beside the row's own fields there are
    ``$file`` (its file's name without folder and ending), ``$row`` (its number there, from 0) and
    ``$list`` (the list of a JSON object that it stands in).
    """

    inputs: dict[str, str] | list[str]
    """Prompt variable → field; a list takes each field under its own name."""
    target: str | Extract | list[str] | None = None
    """A field (a list or an object is kept as JSON text), a part of one, or several as one JSON object."""
    id: str | None = None
    """None: ids are made from the position, ``<data set>-0001``, or ``<file>-0001`` of several files."""
    choices: str | None = None
    """The answers to choose from, in their order."""
    cluster: str | None = None
    contexts: str | None = None
    tools: str | None = None

    @property
    def by_variable(self) -> dict[str, str]:
        """Prompt variable → field."""
        return self.inputs if isinstance(self.inputs, dict) else {field: field for field in self.inputs}


class Card(Record, frozen=True):
    """What is known of a data set."""

    name: str
    """The name of its folder."""
    licence: str
    files: list[CardFile]
    fields: Fields
    description: str | None = None
    citation: str | None = None
    version: str | None = None
    base: str | None = None
    """What every file's url is written behind, e.g. a repository at a commit."""
    examples: str | list[str] | None = None
    """The files that hold the examples, by name or pattern; None: the first."""
    lists: list[str] = msgspec.field(default_factory=list)
    """Of a JSON object with several lists: those that hold the examples."""
    where: dict[str, Any] = msgspec.field(default_factory=dict)
    """Field → value: the rows that are examples; all when empty."""
    joins: dict[str, Join] = msgspec.field(default_factory=dict)
    """Name → rows of other files; a joined field is written ``name.field``."""
    columns: dict[str, str] = msgspec.field(default_factory=dict)
    """Column → field: what the card's own ``expectations.yaml`` may name beside the usual columns."""
    slices: list[str] | dict[str, str] = msgspec.field(default_factory=list)
    """Fields whose values split the examples; a mapping gives slices names of their own."""
    labels: list[str] | str | None = None
    """The answers there are: a list, or ``from_targets`` for the distinct targets."""

    @property
    def examples_files(self) -> list[str]:
        """The names, in the raw folder, of the files that hold the examples."""
        return self.named(self.examples or self.files[0].kept_as)

    def address(self, file: CardFile) -> str | None:
        """Return where the file is published, None when it is not."""
        return file.url and f"{self.base or ''}{file.url}"

    @property
    def slice_fields(self) -> dict[str, str]:
        """Slice → field."""
        return self.slices if isinstance(self.slices, dict) else {field: field for field in self.slices}

    def named(self, patterns: str | Sequence[str]) -> list[str]:
        """Return the names of the card's files that match any pattern, in the card's order."""
        sought = [patterns] if isinstance(patterns, str) else patterns
        kept = [file.kept_as for file in self.files]
        return [name for name in kept if any(fnmatchcase(name, pattern) for pattern in sought)]
