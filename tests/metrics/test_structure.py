import json
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops.errors import UserError
from llmops.metrics.catalog import load_metric
from llmops.metrics.structure import json_schema, json_valid, regex_match

PERSON = json.dumps(
    {
        "type": "object",
        "properties": {"name": {"type": "string", "pattern": "^[A-Z]"}, "tags": {"uniqueItems": True}},
        "patternProperties": {"^x-": {"type": "integer"}},
        "additionalProperties": False,
        "required": ["name"],
    }
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


def test_a_pattern_matches_anywhere_unless_it_is_anchored():
    reads = ["order 1234 sent", "order 12", "1234"]
    assert regex_match(reads, [r"\b\d{4}\b"] * 3) == [1.0, 0.0, 1.0]
    assert regex_match(reads, [r"\A\d{4}\Z"] * 3) == [0.0, 0.0, 1.0]
    assert regex_match(["서울입니다", "SEOUL"], ["^서울", "(?i)seoul"]) == [1.0, 1.0]


def test_a_pattern_that_backtracks_is_refused_in_a_second():
    started = perf_counter()
    with pytest.raises(UserError, match=r"'\^\(a\+\)\+\$' took more than 1 s on 100,001 characters"):
        regex_match(["a" * 100_000 + "!"], ["^(a+)+$"])
    assert perf_counter() - started < 3


def test_what_is_no_pattern_is_refused():
    with pytest.raises(UserError, match=r"regex_match: '\(a' is no regular expression"):
        regex_match(["a"], ["(a"])


@pytest.mark.parametrize(
    "text", ["1", '"a"', "null", " [1, 2.5e3] \n", '{"a": {"b": []}}', "9" * 400, "1e999"]
)
def test_json_is_valid(text):
    assert json_valid([text], [""]) == [1.0]


@pytest.mark.parametrize(
    "text", ["", "NaN", "[1,]", "{'a': 1}", '```json\n{"a": 1}\n```', "1 2", '{"a": 1', "\ud800", "Infinity", "01", "[" * 100_000]
)  # fmt: skip
def test_what_is_nearly_json_is_not(text):
    assert json_valid([text], [""]) == [0.0]


@given(JSON)
def test_what_python_writes_as_json_is_valid(value):
    assert json_valid([json.dumps(value), json.dumps(value, ensure_ascii=False)], ["", ""]) == [1.0, 1.0]
    assert json_schema([json.dumps(value)], ["true"]) == [1.0]


@pytest.mark.parametrize(
    ("answer", "holds"),
    [
        ('{"name": "Ann"}', 1.0),
        ('{"name": "Ann", "x-age": 3, "tags": [1, true, "1", [1]]}', 1.0),
        ('{"name": "ann"}', 0.0),
        ('{"name": 1}', 0.0),
        ("{}", 0.0),
        ('{"name": "Ann", "age": 3}', 0.0),
        ('{"name": "Ann", "x-age": "3"}', 0.0),
        ('{"name": "Ann", "tags": [{"a": 1, "b": 2}, {"b": 2.0, "a": 1}]}', 0.0),
        ("no JSON", 0.0),
    ],
)
def test_an_answer_is_held_to_its_schema(answer, holds):
    assert json_schema([answer], [PERSON]) == [holds]


def test_a_schema_names_its_dialect_and_resolves_references_inside_itself():
    schema = '{"$schema": "http://json-schema.org/draft-07/schema#", "definitions": {"n": {"type": "number"}}, "$ref": "#/definitions/n"}'
    assert json_schema(["1", '"1"'], [schema] * 2) == [1.0, 0.0]


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ("refund", "'refund' is no JSON Schema"),
        ("[]", "it is a list"),
        ('{"type": "text"}', "'text' is not valid under any of the given schemas"),
        (
            '{"$ref": "http://127.0.0.1:9/x.json"}',
            "refers to 'http://127.0.0.1:9/x.json', which it does not hold",
        ),
        ('{"pattern": "(a+)+$"}', "took more than 1 s"),
    ],
)
def test_a_schema_that_cannot_be_used_is_refused(schema, message):
    with pytest.raises(UserError) as refused:
        json_schema([json.dumps("a" * 50_000 + "!")], [schema])
    assert message in str(refused.value)


def test_one_schema_of_a_file_holds_for_all_answers(tmp_path):
    (tmp_path / "schema.json").write_text('{"type": "integer"}', encoding="utf-8")
    metric = load_metric("json_schema:schema.json", tmp_path)
    assert metric.name == "json_schema:schema.json"
    assert not metric.needs_target
    assert metric.function(["1", '"a"'], ["", ""]) == [1.0, 0.0]
    (tmp_path / "schema.json").write_text('{"type": "string"}', encoding="utf-8")
    assert load_metric(metric.name, tmp_path).version != metric.version
    for name in ("none.json", "../schema.json"):
        with pytest.raises(UserError, match="no file"):
            load_metric(f"json_schema:{name}", tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "[" + "1," * 50_000 + "1]",
        '{"a": "' + "a" * 100_000 + '"}',
        "[" * 100_000,
        "9" * 100_000,
        '["a' + '","a' * 20_000 + '"]',
    ],
)
def test_a_long_answer_takes_milliseconds(text):
    schema = '{"uniqueItems": true, "additionalProperties": {"pattern": "a$"}, "items": {"type": ["integer", "string"]}}'
    started = perf_counter()
    json_valid([text], [""])
    assert perf_counter() - started < 0.1
    json_schema([text], [schema])
    assert perf_counter() - started < 2


def test_many_objects_are_told_apart_in_linear_time():
    text = json.dumps([{"n": n} for n in range(8_000)])
    started = perf_counter()
    assert json_schema([text], ['{"uniqueItems": true}']) == [1.0]
    assert perf_counter() - started < 1
