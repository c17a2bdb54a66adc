"""The pytest fixture ``llmops_suite``: a suite of the project whose tests are run."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from llmops.api import LoadedSuite


@pytest.fixture
def llmops_suite(request: pytest.FixtureRequest) -> "Callable[[str], LoadedSuite]":
    """Return a function that loads a suite by its name, as in ``llmops_suite("support").check()``."""
    from llmops.api import load

    root = _project(request.path.parent, request.config.rootpath)
    return lambda name: load(name, root)


def _project(folder: Path, otherwise: Path) -> Path:
    """Return the nearest folder, this one or above it, that is a project."""
    from llmops.config import PARAMS

    return next((each for each in (folder, *folder.parents) if (each / PARAMS).is_file()), otherwise)
