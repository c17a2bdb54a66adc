"""The pytest fixture ``llmops_suite``: a suite of the project whose tests are run."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from llmops.api import LoadedSuite


@pytest.fixture
def llmops_suite(pytestconfig: pytest.Config) -> "Callable[[str], LoadedSuite]":
    """Return a function that loads a suite by its name, as in ``llmops_suite("support").check()``."""
    from llmops.api import load

    return lambda name: load(name, pytestconfig.rootpath)
