"""YAML files into typed records, with every key accounted for."""

import math
from collections.abc import Iterator
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from llmops.errors import UserError

T = TypeVar("T")

PARAMS = "params.yaml"
SECTIONS = (
    "run", "suites", "models", "judges", "generate", "judge", "compare", "certify", "publish", "sentinel",
)  # fmt: skip
"""The top-level keys of params.yaml."""


def read_yaml(path: Path) -> Any:
    """Return the file's value, read as YAML 1.2 as DVC reads it; a key written twice is an error.

    Raises:
        UserError: the file is missing, not UTF-8, or no YAML (names file and line).
    """
    from ruamel.yaml.error import MarkedYAMLError

    try:
        return deepcopy(_value(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; create it, or run from the project's folder") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: not UTF-8; save the file as UTF-8") from None
    except MarkedYAMLError as problem:
        line = problem.problem_mark.line + 1 if problem.problem_mark else 1
        what = problem.problem or problem.context or "cannot be read"
        raise UserError(f"{path}:{line}: {what.splitlines()[0]}; the file must be YAML") from None


@lru_cache(maxsize=8)
def _value(text: str) -> Any:
    """Return the value of a YAML text; params.yaml takes 0.03 s, and a stage asks for each section of it."""
    from ruamel.yaml import YAML  # 60 ms that `llmops --help` does not need

    return YAML(typ="safe", pure=True).load(text)


def convert(value: Any, kind: type[T] | Any, where: str) -> T:
    """Return ``value`` as ``kind``.

    Raises:
        UserError: an unknown key (lists the known ones), a missing key, a wrong type, or a number that
            is not finite.
    """
    for place, number in _not_finite(value, where):
        raise UserError(f"{place}: is {number}; a number must be finite")
    for place, key, known in _unknown_keys(value, msgspec.inspect.type_info(kind), where):
        raise UserError(f"{place}: unknown key {key!r}; keys are {known}")
    try:
        result: T = msgspec.convert(value, kind)
    except msgspec.ValidationError as problem:
        text = str(problem).replace("Object missing required field", "missing key")
        what, _, path = text.partition(" - at `$")
        raise UserError(f"{where}{_dotted(path)}: {what}; see docs/settings.md for what is allowed") from None
    return result


def _not_finite(value: Any, where: str) -> Iterator[tuple[str, float]]:
    """Yield (where, number) of each number that no result could be reckoned with: ``.nan``, ``.inf``."""
    if isinstance(value, float) and not math.isfinite(value):
        yield where, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _not_finite(inner, f"{where}: {key}")
    elif isinstance(value, list):
        for number, inner in enumerate(value, 1):
            yield from _not_finite(inner, f"{where}[{number}]")


def _dotted(path: str) -> str:
    inner = path.rstrip("`")
    return f": {inner.lstrip('.')}" if inner else ""


def _unknown_keys(value: Any, info: Any, where: str) -> Iterator[tuple[str, str, list[str]]]:
    """Yield (where, key, known keys) of each key that its record does not declare."""
    if isinstance(info, msgspec.inspect.UnionType):
        info = _member(value, info)
    if isinstance(info, msgspec.inspect.StructType) and isinstance(value, dict):
        yield from _unknown_fields(value, info, where)
    elif isinstance(info, msgspec.inspect.DictType) and isinstance(value, dict):
        for key, inner in value.items():
            yield from _unknown_keys(inner, info.value_type, f"{where}: {key}")
    elif isinstance(info, msgspec.inspect.ListType) and isinstance(value, list):
        for number, inner in enumerate(value, 1):
            yield from _unknown_keys(inner, info.item_type, f"{where}[{number}]")


def _unknown_fields(value: dict[str, Any], info: Any, where: str) -> Iterator[tuple[str, str, list[str]]]:
    fields = {field.encode_name: field.type for field in info.fields}
    known = sorted([*fields, *([info.tag_field] if info.tag_field else [])])
    for key, inner in value.items():
        if key not in known:
            yield where, key, known
        elif key in fields:
            yield from _unknown_keys(inner, fields[key], f"{where}: {key}")


def _member(value: Any, union: Any) -> Any:
    """Return the union's record that the value's tag names, else its only record."""
    structs = [t for t in union.types if isinstance(t, msgspec.inspect.StructType)]
    if isinstance(value, dict):
        for struct in structs:
            if struct.tag is not None and value.get(struct.tag_field) == struct.tag:
                return struct
        if len(structs) == 1:
            return structs[0]
    return next((t for t in union.types if isinstance(value, list) and hasattr(t, "item_type")), None)


def params(root: Path) -> dict[str, Any]:
    """Return params.yaml as it stands, with its top-level keys checked."""
    path = root / PARAMS
    value = read_yaml(path)
    if not isinstance(value, dict):
        raise UserError(f"{PARAMS}: must be a mapping with the keys {list(SECTIONS)}")
    for key in value:
        if key not in SECTIONS:
            raise UserError(f"{PARAMS}: unknown key {key!r}; keys are {list(SECTIONS)}")
    return value


def section(root: Path, name: str, kind: type[T]) -> T:
    """Return one section of params.yaml as its stage's ``Params``; defaults when it is left out."""
    return convert(params(root).get(name) or {}, kind, f"{PARAMS}: {name}")
