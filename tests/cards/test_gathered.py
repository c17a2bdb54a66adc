"""Cards over several files, lists, filters and joins: real files in, Examples out."""

import json
from pathlib import Path

import pytest

from llmops.cards.card import load_card
from llmops.cards.examples import read_examples, read_rows
from llmops.errors import UserError

CARD = "name: shop\nlicence: MIT\n"


@pytest.fixture
def read(write):
    """Return a function: (the card's lines behind the licence, file → content) → what is read."""

    def go(card: str, files: dict[str, str]):
        write("data/sets/shop/card.yaml", CARD + card)
        for name, content in files.items():
            write(f"data/raw/shop/{name}", content)
        return list(read_rows(load_card(Path(), "shop"), Path("data/raw/shop")))

    return go


TASKS = """files: [{path: tasks/b.json}, {path: tasks/a.json}, {path: answers.jsonl}]
examples: tasks/*.json
fields: {inputs: {question: input, at: $row}, target: target}
slices: {task: $file}
"""
FILES = {
    "tasks/a.json": '{"canary": "x", "examples": [{"input": "1 or 2?", "target": "1"}]}',
    "tasks/b.json": '{"examples": [{"input": "b1", "target": "2"}, {"input": "b2", "target": "2"}]}',
}


def test_several_files_are_read_in_the_cards_order_and_each_names_its_examples(read):
    found = [each.example for each in read(TASKS, FILES | {"answers.jsonl": "{}\n"})]
    assert [e.id for e in found] == ["b-0001", "b-0002", "a-0001"]
    assert [e.slices["task"] for e in found] == ["b", "b", "a"]
    assert [e.inputs["at"] for e in found] == [0, 1, 0]


def test_a_join_adds_the_row_that_matches_and_nothing_where_none_does(read):
    rows = [
        {"t": "b", "i": 1, "mode": "cot", "asked": "b2!"},
        {"t": "b", "i": 1, "mode": "direct", "asked": "?"},
    ]
    joins = (
        "joins: {run: {files: answers.jsonl, where: {mode: cot}, match: {$file: t, $row: i}}}\n"
        "columns: {asked: run.asked}\n"
    )
    answers = "".join(json.dumps(row) + "\n" for row in rows)
    found = read(TASKS + joins, FILES | {"answers.jsonl": answers})
    assert [each.columns["asked"] for each in found] == [None, "b2!", None]
    with pytest.raises(
        UserError, match=r"answers\.jsonl:2: joins: run: .*answers\.jsonl:1 has \['b', '1'\] too"
    ):
        read(TASKS + joins.replace("where: {mode: cot}, ", ""), FILES | {"answers.jsonl": answers})


def test_rows_that_are_lists_in_named_lists_are_read_by_position(read):
    card = """files: [{path: full.json}]
lists: [test, oos]
fields: {inputs: {message: "0"}, target: "1"}
slices: {split: $list}
"""
    content = (
        '{"train": [["no", "x"]],\n"test": [["hi", "greet"]],\n"oos": [["a [b]", "oos"],\n["c", "oos"]]}'
    )
    found = read(card, {"full.json": content})
    assert [(str(e.place), e.example.inputs["message"], e.example.slices["split"]) for e in found] == [
        ("data/raw/shop/full.json:2", "hi", "test"),
        ("data/raw/shop/full.json:3", "a [b]", "oos"),
        ("data/raw/shop/full.json:4", "c", "oos"),
    ]
    with pytest.raises(
        UserError, match=r"full\.json:1: no list 'tset'; lists are \['train', 'test', 'oos'\]"
    ):
        read(card.replace("lists: [test,", "lists: [tset,"), {"full.json": content})


def test_where_takes_the_rows_that_are_examples(read):
    card = "files: [{path: a.csv}]\nwhere: {model: 4}\nfields: {inputs: [q]}\n"
    (only,) = read(card, {"a.csv": "q,model\none,3\ntwo,4\n"})
    assert (only.example.id, only.example.inputs) == ("shop-0001", {"q": "two"})


CHOICES = "files: [{path: a.jsonl}]\nfields: {inputs: [q], choices: c, target: {field: t, letter: true}}\n"


@pytest.mark.parametrize(
    ("row", "target"),
    [
        ({"q": "?", "c": ["red", "blue"], "t": "blue"}, "B"),
        ({"q": "?", "c": ["red", "blue"], "t": 0}, "A"),
        ({"q": "?", "c": "['손자', '할머니', '알 수 없음']", "t": "알 수 없음"}, "C"),
    ],
)
def test_a_target_is_the_letter_of_its_choice(row, target, read):
    (only,) = read(CHOICES, {"a.jsonl": json.dumps(row)})
    assert only.example.target == target
    assert len(only.example.choices) in (2, 3)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"q": "?", "c": ["red", "blue"], "t": "green"}, "is 'green', none of the choices"),
        ({"q": "?", "c": ["red", "blue"], "t": 2}, "is '2', none of the choices"),
        ({"q": "?", "c": "red or blue", "t": 0}, "choices must be a list"),
        ({"q": "?", "c": [str(n) for n in range(27)], "t": 0}, "has 27 choices; at most 26"),
    ],
)
def test_choices_that_cannot_be_are_refused_at_their_line(row, message, read):
    with pytest.raises(UserError, match=r"a\.jsonl:1: field .*" + message):
        read(CHOICES, {"a.jsonl": json.dumps(row)})


def test_a_dotted_field_is_read_and_a_misspelt_one_refused(read):
    card = "files: [{path: a.jsonl}]\nfields: {inputs: {q: turns.0.text}, target: labels.score}\n"
    row = {"turns": [{"text": "hi"}], "labels": {"score": 3.5}}
    (only,) = read(card, {"a.jsonl": json.dumps(row)})
    assert (only.example.inputs, only.example.target) == ({"q": "hi"}, "3.5")
    with pytest.raises(UserError, match=r"no field 'labels\.scroe'; the row has \['turns', 'labels'\]"):
        read(card.replace("labels.score", "labels.scroe"), {"a.jsonl": json.dumps(row)})


def test_a_file_without_an_address_is_had_from_a_mirror_only(write, tmp_path):
    from llmops.cards.source import fetch

    write(
        "data/sets/shop/card.yaml",
        CARD
        + f"files: [{{name: a.csv, source: 'part of b.zip', sha256: {'a' * 64}}}]\nfields: {{inputs: [q]}}\n",
    )
    card = load_card(Path(), "shop")
    with pytest.raises(
        UserError, match=r"shop/a\.csv: is not published as one file \(part of b\.zip\); LLMOPS_DATA_M"
    ):
        fetch(card, Path(), tmp_path / "raw", tmp_path / "downloads", None, print)


def test_a_base_is_written_before_every_url(write):
    card = (
        CARD
        + f"base: 'http://localhost/'\nfiles: [{{name: a.csv, url: a.csv, sha256: {'a' * 64}}}]\nfields: {{inputs: [q]}}\n"
    )
    write("data/sets/shop/card.yaml", card)
    loaded = load_card(Path(), "shop")
    assert loaded.address(loaded.files[0]) == "http://localhost/a.csv"


def test_pairs_are_all_that_other_callers_see(read, write):
    read(TASKS, FILES | {"answers.jsonl": "{}\n"})
    place, example = next(read_examples(load_card(Path(), "shop"), Path("data/raw/shop")))
    assert (place.line, example.target) == (1, "2")
