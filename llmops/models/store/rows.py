"""The rows of the response store: how a reply is kept, and how damage to it is seen."""

import zlib
from hashlib import sha256
from typing import NamedTuple

import msgspec

from llmops.replies import Reply

TABLES = (
    """CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, asked_at TEXT, model TEXT NOT NULL, reply BLOB NOT NULL, checksum INTEGER)
    WITHOUT ROWID""",
    "CREATE TABLE IF NOT EXISTS requests (key TEXT PRIMARY KEY, shared INTEGER, packed BLOB) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS shared (id INTEGER PRIMARY KEY, model TEXT NOT NULL, text BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS used (key TEXT PRIMARY KEY, day INTEGER NOT NULL) WITHOUT ROWID",
)
"""answers: what is looked up. requests: what was asked, squeezed by the help of a text in shared.
used: the last day (days since 1970, UTC) that an answer was given again; no row means never."""

PUT = "INSERT OR IGNORE INTO answers (key, asked_at, model, reply, checksum) VALUES (?, ?, ?, ?, ?)"
PUT_REQUEST = "INSERT OR IGNORE INTO requests (key, shared, packed) VALUES (?, ?, ?)"
PUT_USED = """INSERT INTO used (key, day) VALUES (?, ?)
    ON CONFLICT (key) DO UPDATE SET day = excluded.day WHERE day < excluded.day"""

MEND = "run `llmops store verify --repair`, which keeps all that can be read"

_LEVEL = 6
_MEMORY = 5
"""Of zlib's hash table, 2¹² entries, which is more than a request has parts that recur."""
_LEAST_WINDOW, _AHEAD = 9, 262
"""Zlib's smallest window, as a power of two, and the bytes at a window's far end that it does not look at."""
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Reply).decode


class AnswerRow(NamedTuple):
    """One row of ``answers``."""

    key: str
    asked_at: str | None
    model: str
    reply: bytes
    checksum: int | None


class Unkeepable(ValueError):
    """A reply that cannot be written as JSON and read again."""


def answer_row(key: str, model: str, reply: Reply) -> AnswerRow:
    """Return the row that keeps a reply.

    Raises:
        Unkeepable: it holds what JSON cannot: half a surrogate pair, an infinite number, an object.
    """
    try:
        encoded = _encode(reply)
        _decode(encoded)
    except (ValueError, TypeError, OverflowError, RecursionError) as problem:
        raise Unkeepable(f"{type(problem).__name__}: {problem}") from None
    return AnswerRow(key, reply.asked_at, model, encoded, checksum(key, reply.asked_at, model, encoded))


def checksum(key: str, asked_at: str | None, model: str, reply: bytes) -> int:
    """Return the CRC-32 of a row: every change of up to four bytes side by side is seen."""
    words = f"{key}\0{asked_at}\0{model}\0".encode("utf-8", "surrogatepass")
    return zlib.crc32(reply, zlib.crc32(words))


def checksum_of_old(key: str, asked_at: str | None, model: str, reply: bytes) -> int | None:
    """Return the checksum of a row from before there were any; None, which fits no row, if it is no JSON."""
    try:
        msgspec.json.decode(reply)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return checksum(key, asked_at, model, reply)


def get_many(count: int) -> str:
    """Return the statement that selects so many answers by their keys."""
    marks = ",".join("?" * count)
    return f"SELECT key, asked_at, model, reply, checksum FROM answers WHERE key IN ({marks})"  # noqa: S608


def is_whole(row: AnswerRow) -> bool:
    """Return whether the row is what was written."""
    return row.checksum == checksum(*row[:4])


def reply_of(row: AnswerRow) -> Reply:
    """Return the reply of a row.

    Raises:
        ValueError: it is not what was written, or was written by a version with other fields.
    """
    if not is_whole(row):
        raise ValueError(f"its checksum is another; {MEND}")
    try:
        return _decode(row.reply)
    except msgspec.DecodeError as problem:
        raise ValueError(f"another version of llmops wrote it ({problem}); take that version") from None


def pack(text: str, shared: bytes) -> bytes:
    """Return a canonical request squeezed: what it has in common with ``shared`` takes no room."""
    encoded = text.encode("utf-8", "surrogatepass")
    needed = (len(shared) + len(encoded) + _AHEAD).bit_length()
    window = min(max(needed, _LEAST_WINDOW), zlib.MAX_WBITS)  # clearing it takes most of the time
    squeezing = zlib.compressobj(_LEVEL, wbits=window, memLevel=_MEMORY, zdict=shared)
    return squeezing.compress(encoded) + squeezing.flush()


def unpack(key: str, packed: bytes, shared: bytes) -> str:
    """Return the canonical request again.

    Raises:
        ValueError: it is not the request of this key.
    """
    opening = zlib.decompressobj(zdict=shared)
    try:
        text = opening.decompress(packed) + opening.flush()
    except zlib.error as problem:
        raise ValueError(f"it cannot be unpacked ({problem})") from None
    if sha256(text).hexdigest() != key:
        raise ValueError("it is not the request of its key")
    return text.decode("utf-8", "surrogatepass")
