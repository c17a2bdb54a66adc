"""A project of files for the dashboard, and the way to its modules."""

import sys
from pathlib import Path

import pytest

from tests.dashboards.a_project import build, build_spend

DASHBOARDS = Path(__file__).parents[2] / "dashboards"
sys.path.insert(0, str(DASHBOARDS))  # as `streamlit run dashboards/app.py` does


@pytest.fixture
def empty(tmp_path, monkeypatch):
    """A project in which no stage has run."""
    monkeypatch.setenv("LLMOPS_ROOT", str(tmp_path))
    monkeypatch.setenv("LLMOPS_STATE", str(tmp_path / "state"))
    return tmp_path


@pytest.fixture
def project(empty):
    """A project with results, tryouts, a second suite and a record of its spend."""
    build(empty)
    build(empty, suite="billing", size=20)
    build(empty, size=20, out="runs")
    build_spend(empty / "state")
    return empty
