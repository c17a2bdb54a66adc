"""What must hold within a card before its files are touched."""

import re
from collections.abc import Callable
from pathlib import PurePosixPath

from llmops.cards.schema import FROM_TARGETS, Card, CardFile, Extract

_FORMS = "{path}, {name, url, sha256} or {name, source, sha256}"


def _named_as_its_folder(card: Card, folder: str) -> str | None:
    if card.name == folder:
        return None
    return f"name: {card.name!r} is not the folder's name; write {folder!r} or rename the folder"


def _licensed(card: Card, _: str) -> str | None:
    return None if card.licence.strip() else "licence: is empty; name the licence, e.g. 'MIT' or 'internal'"


def _files_are_named(card: Card, _: str) -> str | None:
    if not card.files:
        return "files: the list is empty; list at least one " + _FORMS
    problems = (_file_problem(file, card.address(file)) for file in card.files)
    if problem := next(filter(None, problems), None):
        return f"files: {problem}"
    kept = [file.kept_as for file in card.files]
    twice = next((name for name in kept if kept.count(name) > 1), None)
    return f"files: {twice!r} is listed twice; each file needs a name of its own" if twice else None


def _file_problem(file: CardFile, address: str | None) -> str | None:
    if file.path is not None and any((file.name, file.url, file.source, file.sha256)):
        return f"{file.path!r} has a path and more; a file takes {_FORMS}"
    missing = [key for key in ("name", "sha256") if getattr(file, key) is None]
    missing += ["url"] if file.url is None and file.source is None else []
    if file.path is None and missing:
        return f"a file lacks {sorted(missing)}; a file takes {_FORMS}"
    if not _stays_inside(file.kept_as):
        return f"{file.kept_as!r} leads out of the data set's folder; give a path inside it"
    if address is not None and not re.match(r"https?://[^/\s]", address):
        return f"url {address!r} is no http address; it must start with 'http://' or 'https://'"
    return None if file.path is not None else _checksum_problem(file.sha256 or "")


def _stays_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts and "\\" not in name


def _checksum_problem(sha256: str) -> str | None:
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        return f"sha256 {sha256!r} is no checksum; it is 64 digits of 0-9 and a-f, as `sha256sum` prints it"
    return None


def _examples_are_listed(card: Card, _: str) -> str | None:
    return _unlisted(card, "examples", card.examples or card.files[0].kept_as)


def _joins_are_listed(card: Card, _: str) -> str | None:
    problems = (_unlisted(card, f"joins: {name}: files", join.files) for name, join in card.joins.items())
    return next(filter(None, problems), None)


def _unlisted(card: Card, where: str, patterns: str | list[str]) -> str | None:
    each = [patterns] if isinstance(patterns, str) else patterns
    strange = next((pattern for pattern in each if not card.named(pattern)), None)
    if strange is None:
        return None
    return f"{where}: {strange!r} is none of the files; files are {[file.kept_as for file in card.files]}"


def _inputs_are_there(card: Card, _: str) -> str | None:
    if card.fields.by_variable:
        return None
    return "fields: inputs: is empty; name the fields that a prompt may use"


def _pattern_has_one_group(card: Card, _: str) -> str | None:
    if not isinstance(card.fields.target, Extract):
        return None
    pattern = card.fields.target.pattern
    if pattern is None:
        letter = card.fields.target.letter
        return None if letter else "fields: target: says not what of the field; add pattern, or letter: true"
    try:
        groups = re.compile(pattern).groups
    except re.error as problem:
        return f"fields: target: pattern: {pattern!r} is no regular expression: {problem}"
    if groups == 1:
        return None
    return f"fields: target: pattern: {pattern!r} has {groups} groups; put one (…) around the target"


def _letters_have_choices(card: Card, _: str) -> str | None:
    target = card.fields.target
    if not isinstance(target, Extract) or not target.letter or card.fields.choices is not None:
        return None
    return "fields: target: letter: the data set has no choices; name the field that lists them, `choices`"


def _labels_are_known(card: Card, _: str) -> str | None:
    if not isinstance(card.labels, str) or card.labels == FROM_TARGETS:
        return None
    return f"labels: {card.labels!r} is no list; write a list of labels, or {FROM_TARGETS!r}"


CHECKS: tuple[Callable[[Card, str], str | None], ...] = (
    _named_as_its_folder,
    _licensed,
    _files_are_named,
    _examples_are_listed,
    _joins_are_listed,
    _letters_have_choices,
    _inputs_are_there,
    _pattern_has_one_group,
    _labels_are_known,
)
"""Each returns what is wrong with the card in the folder of that name, None when nothing is."""
