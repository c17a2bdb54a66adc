"""Spool and Indexed: rows on disk by their number."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops import jsonl
from llmops.indexed import Indexed
from llmops.records import Example
from llmops.spool import spooled


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(7)))
def test_lines_stand_by_their_number_in_whatever_order_they_came(
    tmp_path_factory: pytest.TempPathFactory, order: list[int]
) -> None:
    path = tmp_path_factory.mktemp("spool") / "rows.jsonl"
    with spooled(path, 14) as spool:
        for number in order:
            spool.put(number, b"first %d\n" % number)
        for number in order:
            spool.after(7)(number, b"%d second %s\n" % (number, b"x" * 9000 * number))
    lines = path.read_bytes().splitlines()
    assert [line[:8] for line in lines[:7]] == [b"first %d" % n for n in range(7)]
    assert [line[:8] for line in lines[7:]] == [b"%d second" % n for n in range(7)]
    assert list(path.parent.iterdir()) == [path]


def test_a_block_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("old\n", encoding="utf-8")

    def fail() -> None:
        with spooled(path, 2) as spool:
            spool.put(0, b"new\n")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text(encoding="utf-8") == "old\n"
    assert list(tmp_path.iterdir()) == [path]


def test_rows_are_read_by_number_and_in_order(tmp_path: Path) -> None:
    path = tmp_path / "examples.jsonl"
    jsonl.write(path, [Example(f"e-{n}", {"text": "가" * n}) for n in range(50)])
    path.write_bytes(path.read_bytes().replace(b"\n", b"\n\n", 3))
    rows = Indexed(path, Example, lambda example: example.id != "e-3")
    assert len(rows) == 49
    assert [row.id for row in rows.at([48, 0, 2, 3])] == ["e-49", "e-0", "e-2", "e-4"]
    rows.keep([4, 1])
    assert [row.id for row in rows] == ["e-5", "e-1"]


def test_a_row_that_is_none_is_named_when_the_file_is_indexed(tmp_path: Path) -> None:
    path = tmp_path / "examples.jsonl"
    path.write_text('{"id": "e-1", "inputs": {}}\n{"id": 2}\n', encoding="utf-8")
    with pytest.raises(jsonl.Malformed, match=r"examples\.jsonl:2: "):
        Indexed(path, Example)
