"""A data set's files, brought into its raw folder and held to their checksums."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from llmops import jsonl
from llmops.cards.card import card_path
from llmops.cards.download import ADVICE, download
from llmops.cards.schema import Card, CardFile
from llmops.errors import UserError
from llmops.places import project_file
from llmops.record import Record

MIRROR_INDEX = "SOURCES.jsonl"
Say = Callable[[str], None]


class _Sources(NamedTuple):
    downloads: Path
    mirror: Path | None


class _Mirrored(Record, frozen=True, forbid_unknown_fields=False):
    sha256: str
    file: str


def fetch(card: Card, root: Path, into: Path, downloads: Path, mirror: Path | None, say: Say) -> list[Path]:
    """Put the card's files into ``into`` and return their paths, in the card's order.

    A public file is looked for in ``downloads``, then in ``mirror``, then asked of its url.

    Args:
        downloads: the folder of files that were fetched before, each named by its sha256.
        mirror: a folder with a ``SOURCES.jsonl`` of rows that name ``sha256`` and ``file``.
        say: told the progress of a download, a line at a time.

    Raises:
        UserError: a local file is missing; a public one has another checksum, is cut short,
            cannot be had from its url, or has none and is not in the mirror.
    """
    sources = _Sources(downloads, mirror)
    found = [into / file.kept_as for file in card.files]
    for file, goal in zip(card.files, found, strict=True):
        if file.path is not None:
            source = _local(root, card_path(root, card.name), file.path)
        else:
            source = _public(file, card.address(file), f"{card.name}/{file.name}", sources, say)
        _copy(source, goal)
    return found


def sha256_of(path: Path) -> str:
    """Return the checksum of the file's bytes in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _local(root: Path, card: Path, name: str) -> Path:
    path = card.parent / name
    if path.is_file():
        return project_file(root, path.relative_to(root).as_posix(), f"{card}: files")
    raise UserError(f"{card}: files: no file {name!r} beside the card; add it, or mend its path")


def _copy(source: Path, goal: Path) -> None:
    # Never in place: the goal may be a link into DVC's cache.
    goal.parent.mkdir(parents=True, exist_ok=True)
    draft = goal.with_name(f".{goal.name}.part")
    shutil.copyfile(source, draft)
    draft.replace(goal)


def _public(file: CardFile, url: str | None, label: str, sources: _Sources, say: Say) -> Path:
    sha256 = str(file.sha256)
    kept = sources.downloads / sha256
    if kept.is_file() and sha256_of(kept) == sha256:
        return kept
    if mirrored := _mirrored(sources.mirror, sha256):
        _hold(mirrored, sha256, str(mirrored))
        return mirrored
    if url is None:
        raise UserError(f"{label}: is not published as one file ({file.source}); {ADVICE}")
    part = sources.downloads / f"{sha256}.part"
    download(url, part, lambda progress: say(f"{label}: {progress}"))
    try:
        _hold(part, sha256, url)
    except UserError:
        part.unlink()
        raise
    return part.replace(kept)


def _hold(path: Path, sha256: str, where: str) -> None:
    got = sha256_of(path)
    if got != sha256:
        raise UserError(f"{where}: sha256 is {got}, the card says {sha256}; fetch again, or mend the card")


def _mirrored(mirror: Path | None, sha256: str) -> Path | None:
    if mirror is None:
        return None
    index = mirror / MIRROR_INDEX
    if not index.is_file():
        where = f"LLMOPS_DATA_MIRROR: no {MIRROR_INDEX} in {str(mirror)!r}"
        raise UserError(f"{where}; name a folder that has one")
    rows = jsonl.read(index, _Mirrored)
    found = (mirror / row.file for row in rows if row.sha256 == sha256)
    return next(filter(Path.is_file, found), None)
