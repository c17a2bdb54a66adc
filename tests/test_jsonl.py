"""Files of records: whole or not at all, and a bad line is named."""

from pathlib import Path

import pytest

from llmops import jsonl
from llmops.errors import UserError
from llmops.records import Example


def test_what_is_written_is_read_back_equal(tmp_path: Path) -> None:
    rows = [Example(id="1", inputs={"q": "안녕"}, target="a"), Example(id="2", inputs={})]
    assert jsonl.write(tmp_path / "x" / "e.jsonl", rows) == 2
    assert list(jsonl.read(tmp_path / "x" / "e.jsonl", Example)) == rows


def test_a_malformed_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl"
    path.write_text('{"id": "1", "inputs": {}}\n{"id": 2, "inputs": {}}\n', encoding="utf-8")
    with pytest.raises(
        UserError, match=r"e\.jsonl:2: Expected `str`, got `int`.*; a line must be one Example"
    ):
        list(jsonl.read(path, Example))


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl"
    jsonl.write(path, [1])

    def broken() -> object:
        yield 2
        raise RuntimeError("half-way")

    with pytest.raises(RuntimeError):
        jsonl.write(path, broken())  # type: ignore[arg-type]
    assert path.read_bytes() == b"1\n"
    assert list(tmp_path.iterdir()) == [path]
