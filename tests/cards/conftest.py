"""A project in an empty folder, written by each test."""

from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path()
Write = Callable[[str, str | bytes], Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Return a function that writes a file below the folder that the test runs in."""
    monkeypatch.chdir(tmp_path)

    def put(name: str, content: str | bytes) -> Path:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return put


SHOP = """name: shop
licence: MIT
files: [{path: shop.csv}]
fields: {inputs: [question], target: answer}
"""
"""The card of a user's own CSV file."""


@pytest.fixture
def shop() -> str:
    """Return the shortest card there is."""
    return SHOP
