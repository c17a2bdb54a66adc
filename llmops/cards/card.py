"""A data set's card: where its files come from and how a row is read."""

import re
from pathlib import Path, PurePosixPath

import msgspec

from llmops.config import convert, read_yaml
from llmops.errors import UserError
from llmops.records import Record

SETS = "data/sets"
CARD = "card.yaml"
FROM_TARGETS = "from_targets"
_PUBLIC = ("name", "url", "sha256")


class CardFile(Record, frozen=True):
    """One file: ``path`` beside the card, or a public ``url`` with its ``sha256``, kept as ``name``."""

    path: str | None = None
    name: str | None = None
    url: str | None = None
    sha256: str | None = None

    @property
    def kept_as(self) -> str:
        """The file's name in the data set's raw folder."""
        return self.path or self.name or ""


class Extract(Record, frozen=True):
    """A part of a field: what the one group of ``pattern`` matches when searched for."""

    field: str
    pattern: str


class Fields(Record, frozen=True):
    """Which field of a row becomes which part of an Example."""

    inputs: dict[str, str] | list[str]
    """Prompt variable → field; a list takes each field under its own name."""
    target: str | Extract | list[str] | None = None
    """A field (a list or an object is kept as JSON text), a part of one, or several as one JSON object."""
    id: str | None = None
    """None: ids are made from the position, ``<data set>-0001``."""
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
    examples: str | None = None
    """The file that holds the examples; None: the first."""
    slices: list[str] = msgspec.field(default_factory=list)
    """Fields whose values split the examples."""
    labels: list[str] | str | None = None
    """The answers there are: a list, or ``from_targets`` for the distinct targets."""

    @property
    def examples_file(self) -> str:
        """The name, in the raw folder, of the file that holds the examples."""
        return self.examples or self.files[0].kept_as


def load_card(root: Path, name: str) -> Card:
    """Return the card of the data set ``name`` below ``root``.

    Raises:
        UserError: no such data set, no YAML, an unknown or a missing key, a file outside of the
            card's folder, a pattern without its one group.
    """
    known = names(root)
    if name not in known:
        raise UserError(f"{SETS}: no data set {name!r}; data sets are {known}")
    path = card_path(root, name)
    value = read_yaml(path)
    if not isinstance(value, dict):
        raise UserError(f"{path}: must be a mapping with the keys {sorted(Card.__struct_fields__)}")
    card: Card = convert(value, Card, str(path))
    if problem := next(filter(None, (check(card, name) for check in _CHECKS)), None):
        raise UserError(f"{path}: {problem}")
    return card


def card_path(root: Path, name: str) -> Path:
    """Return where the card of the data set ``name`` lies."""
    return root / SETS / name / CARD


def names(root: Path) -> list[str]:
    """Return the data sets that have a card, sorted."""
    return sorted(path.parent.name for path in (root / SETS).glob(f"*/{CARD}"))


def _named_as_its_folder(card: Card, folder: str) -> str | None:
    if card.name == folder:
        return None
    return f"name: {card.name!r} is not the folder's name; write {folder!r} or rename the folder"


def _licensed(card: Card, _: str) -> str | None:
    return None if card.licence.strip() else "licence: is empty; name the licence, e.g. 'MIT' or 'internal'"


def _files_are_named(card: Card, _: str) -> str | None:
    if not card.files:
        return "files: the list is empty; list at least one {path} or {name, url, sha256}"
    problems = (_file_problem(file) for file in card.files)
    if problem := next(filter(None, problems), None):
        return f"files: {problem}"
    kept = [file.kept_as for file in card.files]
    twice = next((name for name in kept if kept.count(name) > 1), None)
    return f"files: {twice!r} is listed twice; each file needs a name of its own" if twice else None


def _file_problem(file: CardFile) -> str | None:
    missing = [key for key in _PUBLIC if getattr(file, key) is None]
    if file.path is not None and len(missing) < len(_PUBLIC):
        return f"{file.path!r} has a path and more; a file takes {{path}} or {{name, url, sha256}}"
    if file.path is None and missing:
        return f"a file lacks {missing}; a file takes {{path}} or {{name, url, sha256}}"
    if not _stays_inside(file.kept_as):
        return f"{file.kept_as!r} leads out of the data set's folder; give a path inside it"
    return None if file.url is None else _public_problem(file.url, file.sha256 or "")


def _stays_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts and "\\" not in name


def _public_problem(url: str, sha256: str) -> str | None:
    if not re.match(r"https?://[^/\s]", url):
        return f"url {url!r} is no http address; it must start with 'http://' or 'https://'"
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        return f"sha256 {sha256!r} is no checksum; it is 64 digits of 0-9 and a-f, as `sha256sum` prints it"
    return None


def _examples_are_listed(card: Card, _: str) -> str | None:
    kept = [file.kept_as for file in card.files]
    if card.examples is None or card.examples in kept:
        return None
    return f"examples: {card.examples!r} is none of the files; files are {kept}"


def _inputs_are_there(card: Card, _: str) -> str | None:
    if card.fields.by_variable:
        return None
    return "fields: inputs: is empty; name the fields that a prompt may use"


def _pattern_has_one_group(card: Card, _: str) -> str | None:
    if not isinstance(card.fields.target, Extract):
        return None
    pattern = card.fields.target.pattern
    try:
        groups = re.compile(pattern).groups
    except re.error as problem:
        return f"fields: target: pattern: {pattern!r} is no regular expression: {problem}"
    if groups == 1:
        return None
    return f"fields: target: pattern: {pattern!r} has {groups} groups; put one (…) around the target"


def _labels_are_known(card: Card, _: str) -> str | None:
    if not isinstance(card.labels, str) or card.labels == FROM_TARGETS:
        return None
    return f"labels: {card.labels!r} is no list; write a list of labels, or {FROM_TARGETS!r}"


_CHECKS = (
    _named_as_its_folder,
    _licensed,
    _files_are_named,
    _examples_are_listed,
    _inputs_are_there,
    _pattern_has_one_group,
    _labels_are_known,
)
