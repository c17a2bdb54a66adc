"""Answers that exist already: a file of them, looked up by what names the example."""

import math
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from llmops.errors import UserError
from llmops.models.files import project_files, sha256_of, sha256_of_all
from llmops.models.model import Model
from llmops.models.specs import RecordedSpec
from llmops.places import Places, project_file
from llmops.replies import Fault, Reply, Request
from llmops.table import rows, value_at

Key = tuple[str, ...]
_Replies = dict[Key, tuple[str, Reply]]
"""What names an example → where its answer stands, and the answer."""


def open_recorded(name: str, spec: RecordedSpec, places: Places) -> Model:
    """Return the model whose answers are the rows of ``spec.file``.

    An example without a row, or a row without an answer, is a Reply with the error ``not_recorded``.

    Raises:
        UserError: the file is missing, or lies outside of the project; when asked, no row has the fields
            or values that the spec names, or two rows of one example differ.
    """
    below = places.root if spec.dataset is None else places.raw(_data_set(name, spec.dataset))
    paths = project_files(name, below, spec.file)
    for path in paths:  # answers are data, so that a link may lead out no more than a data set's
        project_file(places.root, path.relative_to(places.root).as_posix(), f"models.{name}: file")
    match = {spec.match: spec.match} if isinstance(spec.match, str) else spec.match

    @cache
    def replies() -> _Replies:
        return _read(f"models.{name}", spec, match, {p.relative_to(below).as_posix(): p for p in paths})

    async def ask(request: Request) -> Reply:
        sought = tuple(_as_text(_of_example(request, field)) for field in match.values())
        if request.repeat:
            return _not_recorded(f"{spec.file} holds one answer an example, this is repeat {request.repeat}")
        line_and_reply = replies().get(sought)
        if line_and_reply is None:
            shown = dict(zip(match, sought, strict=True))
            return _not_recorded(f"{spec.file} has no row with {_shortened(shown)}")
        return line_and_reply[1]

    identity = {
        "kind": "recorded",
        "model": name,
        "file": sha256_of(paths[0]) if len(paths) == 1 else sha256_of_all(paths, below),
        "spec": msgspec.to_builtins(spec),
    }
    return Model(name, identity, _wire, ask, stored=False)


def _data_set(name: str, dataset: str) -> str:
    if Path(dataset).name != dataset or dataset in {"", ".."}:
        where = f"models.{name}: dataset"
        raise UserError(f"{where}: {dataset!r} is no name of a data set; give one of a folder in data/sets")
    return dataset


def _wire(request: Request) -> dict[str, Any]:
    return {"example_id": request.example_id, "inputs": request.inputs}


def _read(where: str, spec: RecordedSpec, match: dict[str, str], paths: Mapping[str, Path]) -> _Replies:
    found: _Replies = {}
    answered = 0
    row: dict[str, Any] = {}
    for place, row in _wanted_rows(spec, paths):
        values = [value_at(row, field) for field in match]
        if None in values:
            missing = list(match)[values.index(None)]
            raise UserError(f"{where}: {place}: no field {missing!r} to match by; fields are {sorted(row)}")
        key, reply = tuple(_as_text(value) for value in values), _reply(spec, row, place)
        known = found.setdefault(key, (place, reply))
        if _but_line(known[1]) != _but_line(reply):
            raise UserError(
                f"{where}: {place}: answers the same example as {_line(known[0], place)}, otherwise; keep one"
            )
        answered += reply.error is None
    if not row:
        raise UserError(f"{where}: where: no row of {spec.file} has {spec.where}; mend it, or leave it out")
    if not answered:
        fields = sorted(_paths(row))
        raise UserError(f"{where}: {spec.file}: no row has an answer at {spec.answer!r}; fields are {fields}")
    return found


def _wanted_rows(spec: RecordedSpec, paths: Mapping[str, Path]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, path in paths.items():
        for line, row in rows(path):
            if all(_as_text(value_at(row, field)) == _as_text(v) for field, v in spec.where.items()):
                yield f"{name}:{line}", row


def _line(known: str, place: str) -> str:
    """Return ``line 1`` where both stand in one file, else the whole place."""
    file, _, line = known.rpartition(":")
    return f"line {line}" if place.startswith(f"{file}:") else known


def _reply(spec: RecordedSpec, row: Mapping[str, Any], place: str) -> Reply:
    answer = value_at(row, spec.answer)
    if answer is None:
        return _not_recorded(f"{place}: no value at {spec.answer!r}")
    told = {
        "served_model": _told(row, spec.model, str),
        "latency_s": _told(row, spec.latency_s, float),
        "input_tokens": _told(row, spec.input_tokens, int),
        "output_tokens": _told(row, spec.output_tokens, int),
        "cost_usd": _told(row, spec.cost_usd, float),
    }
    return Reply(text=_as_text(answer), **told)


def _told(row: Mapping[str, Any], field: str | None, kind: type) -> Any:
    """Return the field's value as ``kind``, None when there is none, it is not of that kind or not finite."""
    value = None if field is None else value_at(row, field)
    try:
        found = None if value is None else kind(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return None if isinstance(found, float) and not math.isfinite(found) else found


def _paths(row: Mapping[str, Any], before: str = "") -> Iterator[str]:
    for key, value in row.items():
        if isinstance(value, Mapping):
            yield from _paths(value, f"{before}{key}.")
        else:
            yield f"{before}{key}"


def _of_example(request: Request, field: str) -> Any:
    if field in request.inputs:
        return request.inputs[field]
    return request.example_id if field == "id" else None


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value, order="sorted").decode()


def _not_recorded(message: str) -> Reply:
    return Reply(error=Fault(kind="not_recorded", message=message))


def _but_line(reply: Reply) -> Reply:
    return reply if reply.error is None else Reply(error=Fault(kind=reply.error.kind, message=""))


def _shortened(values: dict[str, str], limit: int = 60) -> str:
    parts = (
        f"{key} {value if len(value) <= limit else value[:limit] + '…'!r}" for key, value in values.items()
    )
    return ", ".join(parts)
