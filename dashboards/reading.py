"""A suite's files as records, read again only when a file has changed."""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec
import streamlit as st

from llmops import jsonl
from llmops.errors import UserError
from llmops.places import Places, state_folder
from llmops.record import Record
from llmops.records import Estimate, Example, Judgement, Ranked, Response, Score, Spend, Verdict

T = TypeVar("T")

KINDS: dict[str, type[Record]] = {
    "examples.jsonl": Example,
    "responses.jsonl": Response,
    "scores.jsonl": Score,
    "judged.jsonl": Score,
    "judgements.jsonl": Judgement,
    "ranking.jsonl": Ranked,
    "estimates.jsonl": Estimate,
    "verdicts.jsonl": Verdict,
}
CLASSES = "classes.csv"


class ClassRow(Record):
    """One label's precision, recall and F1 with their intervals; None where not known."""

    suite: str
    model: str
    prompt: str
    label: str
    support: int | None = None
    predicted: int | None = None
    precision: float | None = None
    precision_low: float | None = None
    precision_high: float | None = None
    recall: float | None = None
    recall_low: float | None = None
    recall_high: float | None = None
    f1: float | None = None
    f1_low: float | None = None
    f1_high: float | None = None


class Stamp(NamedTuple):
    """One version of a file: size -1 when there is no such file."""

    path: str
    modified_ns: int
    size: int


class Evaluation(NamedTuple):
    """One suite's files, as its stages left them; a file that is not there has no rows."""

    places: Places
    suite: str

    def examples(self) -> tuple[Example, ...]:
        """Return what was asked."""
        return _rows(self._stamp("examples.jsonl"), Example)

    def responses(self) -> tuple[Response, ...]:
        """Return what came back."""
        return _rows(self._stamp("responses.jsonl"), Response)

    def scores(self) -> tuple[Score, ...]:
        """Return each metric's value for each response, those of judges behind the others."""
        return (*_rows(self._stamp("scores.jsonl"), Score), *_rows(self._stamp("judged.jsonl"), Score))

    def judgements(self) -> tuple[Judgement, ...]:
        """Return what judges said of each response."""
        return _rows(self._stamp("judgements.jsonl"), Judgement)

    def ranking(self) -> tuple[Ranked, ...]:
        """Return where pairwise judges put each run, the strongest first."""
        return _rows(self._stamp("ranking.jsonl"), Ranked)

    def estimates(self) -> tuple[Estimate, ...]:
        """Return each metric over each slice."""
        return _rows(self._stamp("estimates.jsonl"), Estimate)

    def verdicts(self) -> tuple[Verdict, ...]:
        """Return each rule's outcome."""
        return _rows(self._stamp("verdicts.jsonl"), Verdict)

    def classes(self) -> tuple[ClassRow, ...]:
        """Return each label's row, for suites that sort into labels."""
        return _class_rows(self._stamp(CLASSES))

    def derived(self, make: Callable[..., T], *names: str) -> T:
        """Return ``make(self, *names)``, made again only when one of the suite's files has changed."""
        stamps = tuple(self._stamp(name) for name in (*KINDS, CLASSES))
        made: T = _derived(
            stamps, f"{make.__module__}.{make.__qualname__}", names, lambda: make(self, *names)
        )
        return made

    def _stamp(self, name: str) -> Stamp:
        return stamp(self.places.suite(self.suite, name))


def evaluations(places: Places) -> list[Evaluation]:
    """Return the suites below one folder that have at least one file of records, by name."""
    folder = places.root / places.out
    found = (path.name for path in sorted(folder.iterdir()) if path.is_dir()) if folder.is_dir() else ()
    return [
        Evaluation(places, suite)
        for suite in found
        if any(places.suite(suite, name).exists() for name in KINDS)
    ]


def spends(root: Path) -> tuple[Spend, ...]:
    """Return what every generate run asked and spent, oldest first as it was written."""
    return _rows(stamp(state_folder(root) / "spend.jsonl"), Spend)


def stamp(path: Path) -> Stamp:
    """Return the file's version, by which what was read of it is kept."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return Stamp(str(path), 0, -1)
    return Stamp(str(path), status.st_mtime_ns, status.st_size)


# Resources, not data: records are frozen, and st.cache_data would unpickle all of them on each rerun.
@st.cache_resource(max_entries=64, show_spinner=False)
def _rows(version: Stamp, _kind: type[T]) -> tuple[T, ...]:
    return tuple(jsonl.read(Path(version.path), _kind)) if version.size >= 0 else ()


@st.cache_resource(max_entries=64, show_spinner=False)
def _class_rows(version: Stamp) -> tuple[ClassRow, ...]:
    return tuple(_read_csv(Path(version.path))) if version.size >= 0 else ()


@st.cache_resource(max_entries=64, show_spinner=False)
def _derived(stamps: tuple[Stamp, ...], name: str, names: tuple[str, ...], _make: Callable[[], T]) -> T:
    return _make()


def _read_csv(path: Path) -> Iterator[ClassRow]:
    with path.open(encoding="utf-8", newline="") as file:
        lines = csv.DictReader(file)
        for row in lines:
            known = {name: cell for name, cell in row.items() if cell != ""}
            try:
                yield msgspec.convert(known, ClassRow, strict=False)
            except msgspec.ValidationError as problem:
                raise UserError(f"{path}:{lines.line_num}: {problem}; a line must be one class") from None
