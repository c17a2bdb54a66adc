"""A recording: a file of everything that one run was answered, so that it can be replayed without a model."""

import gzip
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import msgspec

from llmops import jsonl
from llmops.errors import UserError
from llmops.models.budget import BudgetSpent
from llmops.models.model import Model, key_of, request_key, text_of
from llmops.record import Record
from llmops.replies import Reply, Request

VERSION: Literal[1] = 1
_GZIP = 31
"""zlib's word for a gzip frame, which then has neither a time nor a name in it."""


class Header(Record, kw_only=True):
    """A recording's first line: the run that it is of."""

    recording: Literal[1] = VERSION
    suite: str
    models: dict[str, dict[str, Any]]
    """Name in params.yaml → identity; the judges' models among them."""
    asked: list[str] = []
    """Those of the models that the suite asks; [] for all."""
    examples: int
    """How many examples each model was asked."""
    responses: str
    """sha256 of the run's responses.jsonl."""
    sequential: bool = False
    """Each model and prompt was asked only until its rules were decided."""
    judges: list[str] = []
    """Whose verdicts it holds too."""
    judgements: str | None = None
    """sha256 of the run's judgements.jsonl; None where it had no judge."""


class Entry(Record):
    """Each other line: one request with its reply. A request that several share stands here once."""

    key: str
    model: str
    prompt: str
    example_id: str
    repeat: int
    request: dict[str, Any]
    """As it was sent."""
    reply: Reply


class Recording:
    """The replies of a file, by their requests.

    Raises:
        UserError: no such file, or a line that was changed or cut.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        lines = _lines(path)
        self.header: Header = _decoded(path, 1, next(lines, b""), Header)
        self._first: dict[str, Reply] = {}
        self._of_example: dict[tuple[str, str, str], Reply] = {}
        for number, line in enumerate(lines, 2):
            entry: Entry = _decoded(path, number, line, Entry)
            identity = self.header.models.get(entry.model, {})
            if entry.key != key_of(text_of(identity, entry.request, entry.repeat)):
                raise UserError(
                    f"{path}:{number}: the request was changed, its key is another; record it anew"
                )
            self._first.setdefault(entry.key, entry.reply)
            self._of_example[entry.key, entry.model, entry.example_id] = entry.reply

    def reply(self, model: str, request: Request, key: str) -> Reply:
        """Return what a model answered.

        Raises:
            BudgetSpent: it was not asked, since the budget did not reach.
            UserError: the recording does not hold the request.
        """
        known = self._of_example.get((key, model, request.example_id)) or self._first.get(key)
        if known is None:
            raise UserError(
                f"{self.path}: holds no reply of model {model!r} to example {request.example_id!r}"
                f" (repeat {request.repeat}, {_beginning(request)}, key {key[:16]}…);"
                " its data, prompt and settings must be those of the recorded run, or record it anew"
            )
        if known.error is not None and known.error.kind == "budget":
            raise BudgetSpent(known.error.message)
        return known


def write_recording(path: Path, header: Header, entries: Iterable[Entry]) -> int:
    """Write a recording, compressed if its name ends in ``.gz``, and return how many entries it has.

    The same run gives the same bytes.
    """
    count = 0

    def lines() -> Iterator[bytes]:
        nonlocal count
        yield jsonl.line(header)
        for entry in entries:
            count += 1
            yield jsonl.line(entry)

    jsonl.write_lines(path, _compressed(lines()) if path.suffix == ".gz" else lines())
    return count


def replayed(model: Model, recording: Recording) -> Model:
    """Return the model answered by a recording, for nothing and without a network."""

    async def ask(request: Request) -> Reply:
        return recording.reply(model.name, request, request_key(model, request))

    return replace(model, ask=ask, stored=False)


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            yield from file
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; `dvc pull` it, or make it with `llmops record`") from None
    except (EOFError, OSError, zlib.error) as problem:
        raise UserError(f"{path}: cannot be read ({problem}); fetch it again") from None


def _decoded(path: Path, number: int, line: bytes, kind: type[Any]) -> Any:
    try:
        return msgspec.json.decode(line, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise UserError(
            f"{path}:{number}: {problem}; must be one {kind.__name__} of a recording of version {VERSION}"
        ) from None


def _compressed(lines: Iterable[bytes]) -> Iterator[bytes]:
    squeezing = zlib.compressobj(9, wbits=_GZIP)
    for line in lines:
        yield squeezing.compress(line)
    yield squeezing.flush()


def _beginning(request: Request, longest: int = 60) -> str:
    said = " ".join(request.messages[-1].content.split()) if request.messages else ""
    return repr(said if len(said) <= longest else f"{said[:longest]}…")
