"""The recorded kind, with real files."""

import json

import pytest

from llmops.errors import UserError
from llmops.models.catalog import open_model, parse_spec
from llmops.places import Places

ROWS = [
    {"question": "17 + 25?", "175b": {"solution": "42", "seconds": 1.5}, "tokens": "7"},
    {"question": "몇 개?", "175b": {"solution": "셋", "seconds": 2}, "tokens": None},
    {"question": "open?", "175b": {"solution": None}},
]


def write(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture
def asking(tmp_path, run, request_of):
    def ask(rows, question, repeat=0, **more):
        write(tmp_path / "answers.jsonl", rows)
        raw = {
            "kind": "recorded",
            "file": "answers.jsonl",
            "match": "question",
            "answer": "175b.solution",
            **more,
        }
        model = open_model("old", parse_spec("old", raw), Places(tmp_path))
        assert model.stored is False
        return run(model.ask(request_of(question, inputs={"question": question}, repeat=repeat)))

    return ask


def test_an_example_gets_the_answer_of_the_row_that_matches_it(asking):
    assert asking(ROWS, "17 + 25?").text == "42"
    assert asking(ROWS, "몇 개?").text == "셋"


def test_what_else_a_row_tells_is_on_the_reply_and_the_rest_is_unknown(asking):
    told = {"latency_s": "175b.seconds", "output_tokens": "tokens"}
    reply = asking(ROWS, "17 + 25?", **told)
    assert (reply.latency_s, reply.output_tokens, reply.input_tokens, reply.cost_usd) == (1.5, 7, None, None)
    assert asking(ROWS, "몇 개?", **told).output_tokens is None


def test_a_number_that_is_none_is_unknown(asking):
    told = {"latency_s": "seconds", "cost_usd": "price", "output_tokens": "tokens"}
    row = {"question": "?", "175b": {"solution": "1"}, "seconds": "nan", "price": "inf", "tokens": "NaN"}
    reply = asking([row], "?", **told)
    assert (reply.latency_s, reply.cost_usd, reply.output_tokens) == (None, None, None)


@pytest.mark.parametrize(("question", "repeat"), [("open?", 0), ("never asked", 0), ("17 + 25?", 1)])
def test_a_missing_answer_is_an_error_of_its_own_kind(question, repeat, asking):
    reply = asking(ROWS, question, repeat)
    assert (reply.text, reply.error.kind) == (None, "not_recorded")


def test_file_fields_may_be_called_otherwise_than_the_examples(tmp_path, run, request_of):
    write(tmp_path / "a.jsonl", [{"meta": {"n": 7}, "out": ["no", "yes"]}])
    raw = {"kind": "recorded", "file": "a.jsonl", "match": {"meta.n": "id"}, "answer": "out.1"}
    model = open_model("old", parse_spec("old", raw), Places(tmp_path))
    assert run(model.ask(request_of(example_id="7"))).text == "yes"


def test_two_rows_that_differ_are_refused_and_two_equal_ones_are_one(asking):
    assert asking([*ROWS, ROWS[0]], "17 + 25?").text == "42"
    other = {**ROWS[0], "175b": {"solution": "43"}}
    with pytest.raises(UserError, match=r"answers\.jsonl:4: answers the same example as line 1, otherwise"):
        asking([*ROWS, other], "17 + 25?")


def test_a_misspelt_field_is_told_with_those_there_are(asking):
    with pytest.raises(
        UserError, match=r"no row has an answer at '175b\.solutoin'; fields are \['175b\.solution'"
    ):
        asking(ROWS, "17 + 25?", answer="175b.solutoin")
    with pytest.raises(UserError, match=r":1: no field 'qestion' to match by; fields are \['175b'"):
        asking(ROWS, "17 + 25?", match="qestion")


def test_a_missing_file_is_told(tmp_path):
    raw = {"kind": "recorded", "file": "none.jsonl", "answer": "a"}
    with pytest.raises(UserError, match=r"models\.old: file: 'none\.jsonl' is no file"):
        open_model("old", parse_spec("old", raw), Places(tmp_path))


def test_a_csv_is_read_too(tmp_path, run, request_of):
    (tmp_path / "a.csv").write_text("id,answer\ne-1,refund_status\n", encoding="utf-8")
    raw = {"kind": "recorded", "file": "a.csv", "answer": "answer"}
    model = open_model("old", parse_spec("old", raw), Places(tmp_path))
    assert run(model.ask(request_of(example_id="e-1"))).text == "refund_status"


def test_where_and_several_files_say_which_rows_are_the_models_answers(tmp_path, run, request_of):
    for name in ("b", "a"):
        write(tmp_path / f"{name}.jsonl", [
            {"task": name, "i": 0, "mode": "direct", "out": f"{name} direct"},
            {"task": name, "i": 0, "mode": "cot", "out": f"{name} cot"},
            {"published": 0.5},
        ])  # fmt: skip
    raw = {
        "kind": "recorded",
        "file": "*.jsonl",
        "where": {"mode": "cot"},
        "match": {"task": "task", "i": "at"},
        "answer": "out",
    }
    model = open_model("old", parse_spec("old", raw), Places(tmp_path))
    assert run(model.ask(request_of(inputs={"task": "b", "at": 0}))).text == "b cot"
    other = open_model("old", parse_spec("old", raw | {"where": {"mode": "none"}}), Places(tmp_path))
    with pytest.raises(UserError, match=r"models\.old: where: no row of \*\.jsonl has \{'mode': 'none'\}"):
        run(other.ask(request_of(inputs={"task": "b", "at": 0})))
