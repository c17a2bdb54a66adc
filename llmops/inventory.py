"""What the response store holds, said for people: its size, one answer, its damage, what was pruned."""

import json
import sqlite3
import time
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from llmops.errors import UserError
from llmops.models.store.file import connect, explained
from llmops.models.store.rows import AnswerRow, unpack
from llmops.models.store.store import DAY_S, STORE
from llmops.numbers import dollars
from llmops.places import state_folder
from llmops.upkeep import examined, removed, repaired, unused

MEGABYTE = 1_000_000
SHOWN = 20
"""Damaged answers that are named, one a line."""

_ALL = "SELECT key, asked_at, model, reply, checksum FROM answers"
_BY_PREFIX = f"{_ALL} WHERE key >= ? AND key < ? ORDER BY key LIMIT 6"
_REQUEST = "SELECT packed, text FROM requests LEFT JOIN shared ON shared.id = shared WHERE key = ?"


class _Cost(msgspec.Struct):
    """The one field of a reply that is summed, whatever version wrote the others."""

    cost_usd: float | None = None


_decode_cost = msgspec.json.Decoder(_Cost).decode


class _Holding(NamedTuple):
    """What is kept of one model: how many answers, their bytes and cost, first and last day asked."""

    answers: int = 0
    bytes: int = 0
    cost_usd: float | None = 0.0
    first: str = "9999"
    last: str = ""

    def with_one(self, row: AnswerRow) -> "_Holding":
        cost = _cost_usd(row.reply)
        total = None if cost is None or self.cost_usd is None else self.cost_usd + cost
        day = (row.asked_at or "")[:10]
        return _Holding(
            self.answers + 1,
            self.bytes + len(row.reply),
            total,
            min(self.first, day or self.first),
            max(self.last, day),
        )


def summary(root: Path) -> None:
    """Print the store's size and, for each model's name in params.yaml, what is kept of it."""
    path = _store(root)
    found: dict[str, _Holding] = {}
    with explained(path), closing(connect(path)) as store:
        for row in map(AnswerRow._make, store.execute(_ALL)):
            found[row.model] = found.get(row.model, _Holding()).with_one(row)
    print(f"{path}: {_megabytes(_bytes(path))} MB, {sum(h.answers for h in found.values()):,} answers")
    width = max(map(len, found), default=0)
    for model, holding in sorted(found.items()):
        print(
            f"  {model:<{width}}  {holding.answers:>9,} answers  {_megabytes(holding.bytes):>8} MB"
            f"  cost {dollars(holding.cost_usd)}  asked {holding.first} to {holding.last}"
        )


def show(root: Path, prefix: str) -> None:
    """Print one answer with its request as JSON.

    Raises:
        UserError: no key, or several, begin with ``prefix``.
    """
    path = _store(root)
    with explained(path), closing(connect(path)) as store:
        rows = [AnswerRow._make(row) for row in store.execute(_BY_PREFIX, (prefix, f"{prefix}g"))]
        if len(rows) != 1:
            raise UserError(f"{prefix}: {_which(rows)}")
        shown = _as_json(store, rows[0])
    text = json.dumps(shown, ensure_ascii=False, indent=2)
    print("".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text))


def verify(root: Path, *, repair: bool) -> int:
    """Print what is damaged, repair it if that is wanted, and return the exit code."""
    path = _store(root)
    found = examined(path)
    if found.is_whole:
        print(f"whole: {path}: {found.answers:,} answers, each as it was written")
        return 0
    print(f"damaged: {path}: {_damage_in_all(found.file, len(found.damaged), len(found.requests))}")
    lines = [f"answer {key}: {what}" for key, what in found.damaged.items()]
    _print_some([*lines, *(f"request {key}: cannot be shown, its answer can" for key in found.requests)])
    if not repair:
        print("`llmops store verify --repair` takes out what is damaged, so that it is asked anew")
        return 1
    mended = repaired(path, found)
    aside = f"; the damaged file is kept as {mended.aside.name}" if mended.aside else ""
    print(f"repaired: {path}: {mended.kept:,} answers are kept{aside}")
    return 0


def prune(root: Path, max_mb: float | None, older_than_days: float | None, *, dry_run: bool) -> None:
    """Take out the answers that were not used for longest, and print how many and what they had cost.

    Raises:
        UserError: nothing says what is too much.
    """
    if max_mb is None and older_than_days is None:
        raise UserError("store prune: nothing says what is too much; give --max-mb or --older-than")
    path = _store(root)
    most = None if max_mb is None else round(max_mb * MEGABYTE)
    found = unused(path, most, older_than_days, time.time())
    cost = _cost_of(path, found.keys)
    if not dry_run and found.keys:
        removed(path, found.keys)
    what = f"{len(found.keys):,} answers that had cost {dollars(cost)}"
    if dry_run:
        print(f"would remove {what}; {_megabytes(found.bytes_left)} MB would be left")
    else:
        print(f"removed {what}; {_megabytes(_bytes(path))} MB are left")


def _store(root: Path) -> Path:
    path = state_folder(root) / STORE
    if not path.is_file():
        raise UserError(f"{path}: there is no response store yet; `llmops run` makes it")
    return path


def _which(rows: list[AnswerRow]) -> str:
    if not rows:
        return "no answer has a key that begins so; give more or other digits of its sha256"
    return f"is the beginning of several keys, e.g. {[row.key[:16] for row in rows[:5]]}; give more digits"


def _as_json(store: sqlite3.Connection, row: AnswerRow) -> dict[str, Any]:
    used = store.execute("SELECT day FROM used WHERE key = ?", (row.key,)).fetchone()
    kept = store.execute(_REQUEST, (row.key,)).fetchone()
    return {
        "key": row.key,
        "model": row.model,
        "asked_at": row.asked_at,
        "given_again": used and datetime.fromtimestamp(used[0] * DAY_S, UTC).date().isoformat(),
        "request": json.loads(unpack(row.key, *kept)) if kept else None,
        "reply": json.loads(row.reply),
    }


def _damage_in_all(file: str | None, answers: int, requests: int) -> str:
    parts = [f"SQLite says: {file}"] if file else []
    parts += [f"{answers:,} damaged answers"] if answers else []
    parts += [f"{requests:,} damaged requests"] if requests else []
    return ", ".join(parts)


def _print_some(lines: list[str]) -> None:
    for line in lines[:SHOWN]:
        print(f"  {line}")
    if len(lines) > SHOWN:
        print(f"  … and {len(lines) - SHOWN:,} more")


def _cost_of(path: Path, keys: Iterable[str]) -> float | None:
    costs: list[float | None] = []
    with explained(path), closing(connect(path)) as store:
        for key in keys:
            (reply,) = store.execute("SELECT reply FROM answers WHERE key = ?", (key,)).fetchone()
            costs.append(_cost_usd(reply))
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None


def _cost_usd(reply: bytes) -> float | None:
    try:
        return _decode_cost(reply).cost_usd
    except msgspec.DecodeError:
        return None


def _bytes(path: Path) -> int:
    files = [path.with_name(path.name + ending) for ending in ("", "-wal")]
    return sum(file.stat().st_size for file in files if file.is_file())


def _megabytes(count: int) -> str:
    return f"{count / MEGABYTE:,.1f}"
