"""Members of a zip file, also of one that is packed with Zstandard."""

import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from llmops.errors import UserError

ZSTANDARD = 93
"""Its number in the zip format (APPNOTE 6.3.8); the standard library reads it from Python 3.14 on."""
_LOCAL_HEADER = 30
"""Bytes of a member's header before its name and extra field, whose lengths are its last four."""


def members(path: Path) -> dict[str, Callable[[], bytes]]:
    """Return each member's name with a function that reads it.

    Raises:
        UserError: the file is missing or no zip file; when read, a member is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return {info.filename: partial(_content, path, info) for info in archive.infolist()}
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; give a result file that the tool wrote") from None
    except zipfile.BadZipFile as problem:
        raise UserError(f"{path}: {problem}; the file is cut short or of another kind") from None


def _content(path: Path, info: zipfile.ZipInfo) -> bytes:
    try:
        if info.compress_type == ZSTANDARD:
            return _unpacked(path, info)
        with zipfile.ZipFile(path) as archive:
            return archive.read(info)
    except (OSError, zipfile.BadZipFile, NotImplementedError) as problem:
        raise UserError(f"{path}: {info.filename}: {problem}; the file is damaged") from None


def _unpacked(path: Path, info: zipfile.ZipInfo) -> bytes:
    import pyarrow  # 0.2 s that other formats do not need

    with path.open("rb") as file:
        file.seek(info.header_offset + _LOCAL_HEADER - 4)
        lengths = file.read(4)
        file.seek(int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little"), 1)
        packed = file.read(info.compress_size)
    unpacked: bytes = pyarrow.decompress(packed, info.file_size, codec="zstd", asbytes=True)
    return unpacked
