import gzip
import json
from pathlib import Path

import hypothesis
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import strategies

from llmops.errors import UserError
from llmops.table import READERS, rows

ROWS = [{"q": "배송 언제 와요?", "a": "parcel"}, {"q": 'say "hi",\nplease', "a": "greet\tit"}]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function that writes a file in the folder that the test runs in."""
    monkeypatch.chdir(tmp_path)

    def put(name: str, content: str | bytes) -> Path:
        path = Path(name)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return put


def refusal(path) -> str:
    with pytest.raises(UserError) as refused:
        list(rows(path))
    assert "\n" not in str(refused.value)
    return str(refused.value)


def parquet(table: list) -> bytes:
    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(table), sink)
    return sink.getvalue().to_pybytes()


CONTENT = {
    ".json": (json.dumps(ROWS, indent=1).encode(), [2, 6]),
    ".jsonl": (json.dumps(ROWS[0]).encode() + b"\r\n\n" + json.dumps(ROWS[1]).encode(), [1, 3]),
    ".csv": ('q,a\r\n배송 언제 와요?,parcel\r\n"say ""hi"",\nplease",greet\tit\r\n\r\n'.encode(), [2, 3]),
    ".tsv": ('q\ta\n배송 언제 와요?\tparcel\n"say ""hi"",\nplease"\t"greet\tit"\n'.encode(), [2, 3]),
    ".parquet": (parquet(ROWS), [1, 2]),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("ending", READERS)
def test_every_format_gives_the_same_rows_by_their_lines(write, ending, packed):
    content, lines = CONTENT[ending]
    path = write(f"t.v2{ending}.gz", gzip.compress(content)) if packed else write(f"t.v2{ending}", content)
    found = list(rows(path))
    assert [row for _, row in found] == ROWS
    # json.dumps(indent=1) keeps the newline of a text escaped
    assert [line for line, _ in found] == lines


def test_a_row_after_a_text_of_two_lines_keeps_its_line(write):
    path = write("t.csv", 'q,a\n"one\ntwo",x\nthree,y\n')
    assert [line for line, _ in rows(path)] == [2, 4]


def test_an_object_with_one_list_is_a_table(write):
    path = write("t.json", '{"version": {"a": [1]},\n "data": [\n{"q": 1},\n{"q": [2, {"x": "]"}]}], "n": 2}')
    assert list(rows(path)) == [(3, {"q": 1}), (4, {"q": [2, {"x": "]"}]})]


TEXT = strategies.text(strategies.characters(codec="utf-8"), max_size=5)
VALUE = strategies.recursive(
    TEXT | strategies.integers(-9, 9) | strategies.none() | strategies.booleans(),
    lambda inner: strategies.lists(inner, max_size=3) | strategies.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@hypothesis.given(
    table=strategies.lists(strategies.dictionaries(TEXT, VALUE, max_size=3), max_size=4),
    indent=strategies.sampled_from([None, 0, 2]),
    key=strategies.none() | TEXT,
)
@hypothesis.settings(max_examples=60, deadline=None)
def test_json_is_read_however_it_is_laid_out(tmp_path_factory, table, indent, key):
    path = tmp_path_factory.getbasetemp() / "laid_out.json"
    whole = table if key is None else {"before ]": {"a": [1]}, key: table, "after": None}
    path.write_text(json.dumps(whole, indent=indent, ensure_ascii=False), encoding="utf-8")
    assert [row for _, row in rows(path)] == table


@pytest.mark.parametrize("ending", [".json", ".jsonl", ".csv", ".tsv"])
def test_a_byte_order_mark_is_no_part_of_the_text(write, ending):
    path = write(f"t{ending}", b"\xef\xbb\xbf" + CONTENT[ending][0])
    assert [row for _, row in rows(path)] == ROWS


def test_a_line_separator_inside_a_text_does_not_end_the_row(write):
    path = write("t.jsonl", '{"q": "a\u2028b\u0085c"}\n')
    assert list(rows(path)) == [(1, {"q": "a\u2028b\u0085c"})]


def test_a_long_field_of_a_csv_file_is_read(write):
    path = write("t.csv", "q\n" + "x" * 200_000 + "\n")
    assert [len(row["q"]) for _, row in rows(path)] == [200_000]


def test_dates_and_bytes_of_parquet_become_json_values(write):
    import datetime

    path = write("t.parquet", parquet([{"at": datetime.date(2026, 11, 1), "raw": b"ab", "n": 3}]))
    assert list(rows(path)) == [(1, {"at": "2026-11-01", "raw": "YWI=", "n": 3})]


def test_a_cp949_file_is_named_as_such(write):
    path = write("t.csv", b"q,a\nhi,there\n" + "배송,x\n".encode("cp949"))
    assert refusal(path) == (
        "t.csv:3: byte 14 is not UTF-8; the file reads as CP949 (Korean Windows): "
        "convert it with `iconv -f CP949 -t UTF-8`"
    )


def test_a_utf16_file_is_named_as_such(write):
    path = write("t.csv", "q,a\n".encode("utf-16"))
    assert refusal(path) == "t.csv:1: byte 1 is not UTF-8; the file is UTF-16: save it as UTF-8"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.jsonl", b'{"q": "\xff\xff"}\n', "t.jsonl:1: byte 8 is not UTF-8; save the file as UTF-8"),
        (
            "t.jsonl",
            b'{"q": 1}\n{"q": }\n',
            "t.jsonl:2: JSON is malformed: invalid character (byte 6); a row must be one JSON object",
        ),
        ("t.jsonl", b"{}\n[1]\n", "t.jsonl:2: a row must be a JSON object, not list"),
        ("t.json", b'[{"q": 1},\n{"q": ]', "t.json:2: Expecting value; the file must be JSON"),
        ("t.json", b'[{"q": 1},\n 2]', "t.json:2: a row must be a JSON object, not int"),
        (
            "t.json",
            b'[{"q": 1},\n {"q": NaN}]',
            "t.json:2: JSON is malformed: invalid character (byte 6); a row must be one JSON object",
        ),
        ("t.json", b"", "t.json:1: Expecting value; the file must be JSON"),
        (
            "t.json",
            b'{"a": [], "b": []}',
            "t.json:1: holds the lists ['a', 'b']; JSON must be a list, or an object with one list",
        ),
        (
            "t.json",
            b"3",
            "t.json:1: holds the lists []; JSON must be a list, or an object with one list",
        ),
        (
            "t.csv",
            b"q,a\nx,y\none, two,z\n",
            "t.csv:3: 3 fields where the header has 2; quote a field that holds the separator",
        ),
        ("t.csv", b"q,a,q\n", "t.csv:1: columns ['q'] are named twice; each needs a name of its own"),
        (
            "t.csv",
            b'q,a\n"x"y,z\n',
            "t.csv:2: ',' expected after '\"'; a field with quotes must be quoted whole",
        ),
        (
            "t.csv",
            b'q,a\nx,y\n"x,z\n',
            "t.csv:3: unexpected end of data; a field with quotes must be quoted whole",
        ),
        (
            "t.xlsx",
            b"",
            "t.xlsx: unknown ending; known endings are ['.json', '.jsonl', '.csv', '.tsv', '.parquet', "
            "'.json.gz', '.jsonl.gz', '.csv.gz', '.tsv.gz', '.parquet.gz']",
        ),
        (
            "t.jsonl.gz",
            b"{}",
            "t.jsonl.gz: not a whole gzip file (Not a gzipped file (b'{}')); pack or fetch it again",
        ),
        (
            "t.jsonl.gz",
            gzip.compress(b"{}")[:-4],
            "t.jsonl.gz: not a whole gzip file (Compressed file ended before the end-of-stream marker "
            "was reached); pack or fetch it again",
        ),
    ],
)
def test_a_bad_file_says_in_one_line_where_it_is_bad(write, name, content, message):
    assert refusal(write(name, content)) == message


def test_a_file_that_is_no_parquet_is_refused(write):
    said = refusal(write("t.parquet", b"PAR1 no"))
    assert said.startswith("t.parquet: no Parquet file (")
    assert said.endswith("); fetch it again")


def test_a_missing_file_says_what_to_run(write):
    path = write("t.csv", "q\n").with_name("u.csv")
    assert refusal(path) == "u.csv: no such file; run `llmops fetch` first"
