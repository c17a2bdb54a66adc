"""Where rows and numbers that were stored differ from those made anew."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

import msgspec

from llmops.record import Record
from llmops.records import OVERALL, Estimate, Ranked, Score
from llmops.signature import unversioned

Row = TypeVar("Row", bound=Record)


class Difference(NamedTuple):
    """One row or number."""

    file: str
    place: str
    """Run, example or slice, metric."""
    what: str
    """The values, ``stored → made anew``."""

    def __str__(self) -> str:
        return f"{self.file}: {self.place}: {self.what}"


def in_scores(stored: Iterable[Score], made: Iterable[Score]) -> Iterator[Difference]:
    """Yield the scores that differ."""
    yield from _in_rows("scores.jsonl", stored, made, _score_place)


def _score_place(row: Score) -> str:
    repeat = f" (repeat {row.repeat})" if row.repeat else ""
    return f"{row.model} · {row.prompt}: {row.example_id}{repeat}: {row.metric}"


def in_estimates(stored: Iterable[Estimate], made: Iterable[Estimate]) -> Iterator[Difference]:
    """Yield the estimates that differ.

    No difference: the package's version, signatures or limits that a file is too old for, limits among more
    comparisons than the other side has (a run by itself has fewer claims than its suite).
    """
    before, after = list(stored), list(made)
    signed = any(row.signature for row in before)
    limits = min(max((len(row.limits) for row in rows), default=0) for rows in (before, after))
    old, new = ([_comparable(row, signed=signed, limits=limits) for row in rows] for rows in (before, after))
    yield from _in_rows("estimates.jsonl", old, new, _estimate_place)


def _comparable(row: Estimate, *, signed: bool, limits: int) -> Estimate:
    signature = unversioned(row.signature) if signed else None
    return msgspec.structs.replace(row, signature=signature, limits=row.limits[:limits])


def _estimate_place(row: Estimate) -> str:
    cut = "" if row.slice == OVERALL else f" @ {row.slice}"
    return f"{row.model} · {row.prompt}: {row.metric}{cut}"


def in_ranking(stored: Iterable[Ranked], made: Iterable[Ranked]) -> Iterator[Difference]:
    """Yield the places of a pairwise judge's ranking that differ."""
    yield from _in_rows("ranking.jsonl", stored, made, lambda row: f"{row.judge}: {row.model} · {row.prompt}")


def in_numbers(place: str, stored: Mapping[str, float], made: Mapping[str, float]) -> Iterator[Difference]:
    """Yield the numbers of a run in MLflow that differ."""
    for name in sorted({*stored, *made}):
        if stored.get(name) != made.get(name):
            yield Difference("MLflow", f"{place}: {name}", _arrow(stored.get(name), made.get(name)))


def _in_rows(
    file: str, stored: Iterable[Row], made: Iterable[Row], place: Callable[[Row], str]
) -> Iterator[Difference]:
    """Yield the rows that stand in one only, or that have a field that differs."""
    before, after = _placed(stored, place), _placed(made, place)
    for key in dict.fromkeys([*before, *after]):
        if key not in after:
            yield Difference(file, key[0], "stored, but nothing makes it")
        elif key not in before:
            yield Difference(file, key[0], "not stored")
        elif unequal := _unequal(before[key], after[key]):
            yield Difference(file, key[0], ", ".join(unequal))


def _placed(rows: Iterable[Row], place: Callable[[Row], str]) -> dict[tuple[str, int], Row]:
    """Return rows by place, numbered where several share one."""
    seen: Counter[str] = Counter()
    found: dict[tuple[str, int], Row] = {}
    for row in rows:
        where = place(row)
        found[where, seen[where]] = row
        seen[where] += 1
    return found


def _unequal(before: Record, after: Record) -> list[str]:
    return [
        f"{name} {_arrow(old, new)}"
        for name in before.__struct_fields__
        if (old := getattr(before, name)) != (new := getattr(after, name))
    ]


def _arrow(old: Any, new: Any) -> str:
    return f"{old!r} → {new!r}"
