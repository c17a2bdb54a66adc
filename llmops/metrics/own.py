"""A project's own metrics, loaded from its files."""

import sys
from collections.abc import Callable
from hashlib import sha256
from importlib.util import module_from_spec, spec_from_file_location
from inspect import isfunction
from pathlib import Path
from types import ModuleType
from typing import Any

from llmops.errors import UserError


def own_function(name: str, root: Path) -> tuple[Callable[..., Any], str]:
    """Return the function that ``path/to/file.py:function`` names, with its file's sha256.

    Raises:
        UserError: the file lies outside ``root``, is missing, cannot be run, or has no such function.
    """
    path, _, attribute = name.rpartition(":")
    file = (root / path).resolve()
    if not file.is_relative_to(root.resolve()):
        raise UserError(f"metrics: {name!r} lies outside the project; name a file below its folder")
    if not file.is_file():
        raise UserError(f"metrics: {name!r}: no file {path!r}; create it in the project's folder")
    function = _function(_module(file, path), attribute, name)
    return function, sha256(file.read_bytes()).hexdigest()[:12]


def _module(file: Path, shown: str) -> ModuleType:
    digest = sha256(str(file).encode()).hexdigest()[:12]
    spec = spec_from_file_location(f"llmops_own_{file.stem}_{digest}", file)
    if spec is None or spec.loader is None:
        raise UserError(f"metrics: {shown}: is no Python file; name one that ends in .py")
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up here
    try:
        spec.loader.exec_module(module)
    except Exception as problem:
        raise UserError(
            f"metrics: {shown}: {type(problem).__name__}: {problem}; the file must run by itself"
        ) from problem
    return module


def _function(module: ModuleType, attribute: str, name: str) -> Callable[..., Any]:
    function = getattr(module, attribute, None)
    if not callable(function):
        there = sorted(
            key
            for key, value in vars(module).items()
            if isfunction(value) and value.__module__ == module.__name__ and not key.startswith("_")
        )
        raise UserError(f"metrics: {name!r}: no function {attribute!r}; functions are {there}")
    return function  # type: ignore[no-any-return]
