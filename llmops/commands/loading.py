"""A stage's function, loaded when its verb is called."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from llmops.pinned import hold


def stage(root: Path, name: str) -> Callable[..., Any]:
    """Return what a stage does.

    Raises:
        UserError: the project is pinned to another version of llmops.
    """
    hold(root)
    verb: Callable[..., Any] = import_module(f"llmops.stages.{name}").main
    return verb
