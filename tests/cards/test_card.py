import re
from pathlib import Path

import pytest

from llmops.cards.card import load_card, names
from llmops.cards.schema import CardFile, Extract
from llmops.errors import UserError

ROOT = Path()
CARD = "data/sets/shop/card.yaml"
SUM = "a" * 64


def refusal(write, card: str) -> str:
    write(CARD, card)
    with pytest.raises(UserError) as refused:
        load_card(ROOT, "shop")
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_a_card_of_four_lines_is_enough_for_a_csv_file(write, shop):
    write(CARD, shop)
    card = load_card(ROOT, "shop")
    assert card.examples_files == ["shop.csv"]
    assert card.fields.by_variable == {"question": "question"}
    assert (card.fields.target, card.slices, card.labels) == ("answer", [], None)


def test_a_card_may_say_all_there_is(write):
    write(
        CARD,
        f"""
name: shop
description: questions
licence: MIT
citation: a paper
version: "2"
files:
  - {{name: train.jsonl, url: "https://example.org/train.jsonl", sha256: {SUM}}}
  - {{path: more/test.jsonl}}
examples: more/test.jsonl
fields:
  id: key
  inputs: {{message: text}}
  target: {{field: answer, pattern: 'A: (.+)$'}}
  cluster: talk
  contexts: documents
  tools: functions
slices: [language]
labels: [yes it is, "no"]
""",
    )
    card = load_card(ROOT, "shop")
    assert card.files[0] == CardFile(name="train.jsonl", url="https://example.org/train.jsonl", sha256=SUM)
    assert card.examples_files == ["more/test.jsonl"]
    assert card.fields.by_variable == {"message": "text"}
    assert card.fields.target == Extract(field="answer", pattern="A: (.+)$")
    assert card.labels == ["yes it is", "no"]


def test_an_unknown_data_set_lists_those_there_are(write, shop):
    write(CARD, shop)
    write("data/sets/arith/card.yaml", shop)
    write("data/sets/no_card/rows.csv", "a\n")
    assert names(ROOT) == ["arith", "shop"]
    with pytest.raises(
        UserError, match="^" + re.escape("data/sets: no data set 'shp'; data sets are ['arith', 'shop']")
    ):
        load_card(ROOT, "shp")


@pytest.mark.parametrize("name", ["../shop", "", "shop/../shop", "/shop"])
def test_a_name_that_is_no_folder_of_data_sets_is_refused(write, shop, name):
    write(CARD, shop)
    with pytest.raises(UserError, match="data/sets: no data set"):
        load_card(ROOT, name)


def test_what_is_no_yaml_names_the_line(write, shop):
    assert refusal(write, shop + "slices: [a\n").startswith(f"{CARD}:6: ")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("licence: MIT\n", "", "missing key `licence`; see docs/settings.md for what is allowed"),
        ("MIT", "' '", "licence: is empty; name the licence, e.g. 'MIT' or 'internal'"),
        (
            "name: shop",
            "name: shp",
            "name: 'shp' is not the folder's name; write 'shop' or rename the folder",
        ),
        (
            "licence: MIT",
            "licence: MIT\nslice: [a]",
            "unknown key 'slice'; keys are ['base', 'citation', 'columns', 'description', 'examples', 'fields', "
            "'files', 'joins', 'labels', 'licence', 'lists', 'name', 'slices', 'version', 'where']",
        ),
        (
            "target: answer",
            "goal: answer",
            "fields: unknown key 'goal'; keys are ['choices', 'cluster', 'contexts', 'id', 'inputs', 'target', "
            "'tools']",
        ),
        (
            "inputs: [question]",
            "inputs: 3",
            "fields.inputs: Expected `object | array`, got `int`; see docs/settings.md for what is allowed",
        ),
        ("[question]", "[]", "fields: inputs: is empty; name the fields that a prompt may use"),
        (
            "{path: shop.csv}",
            "",
            "files: the list is empty; list at least one {path}, {name, url, sha256} or {name, source, sha256}",
        ),
        (
            "{path: shop.csv}",
            "{name: a.csv}",
            "files: a file lacks ['sha256', 'url']; a file takes {path}, {name, url, sha256} or "
            "{name, source, sha256}",
        ),
        (
            "{path: shop.csv}",
            "{path: shop.csv, url: x}",
            "files: 'shop.csv' has a path and more; a file takes {path}, {name, url, sha256} or "
            "{name, source, sha256}",
        ),
        (
            "{path: shop.csv}",
            "{path: ../../../shop.csv}",
            "files: '../../../shop.csv' leads out of the data set's folder; give a path inside it",
        ),
        (
            "{path: shop.csv}",
            "{path: /shop.csv}",
            "files: '/shop.csv' leads out of the data set's folder; give a path inside it",
        ),
        (
            "{path: shop.csv}",
            f"{{name: ../a, url: 'http://localhost/a', sha256: '{SUM}'}}",
            "files: '../a' leads out of the data set's folder; give a path inside it",
        ),
        (
            "{path: shop.csv}",
            "{path: shop.csv}, {path: shop.csv}",
            "files: 'shop.csv' is listed twice; each file needs a name of its own",
        ),
        (
            "{path: shop.csv}",
            f"{{name: a, url: 'file:///a', sha256: '{SUM}'}}",
            "files: url 'file:///a' is no http address; it must start with 'http://' or 'https://'",
        ),
        (
            "{path: shop.csv}",
            "{name: a, url: 'http://localhost/a', sha256: abc}",
            "files: sha256 'abc' is no checksum; it is 64 digits of 0-9 and a-f, as `sha256sum` prints it",
        ),
        (
            "licence: MIT",
            "licence: MIT\nexamples: test.csv",
            "examples: 'test.csv' is none of the files; files are ['shop.csv']",
        ),
        (
            "licence: MIT",
            "licence: MIT\njoins: {more: {files: 'more/*.csv', match: {q: q}}}",
            "joins: more: files: 'more/*.csv' is none of the files; files are ['shop.csv']",
        ),
        (
            "target: answer",
            "target: {field: answer}",
            "fields: target: says not what of the field; add pattern, or letter: true",
        ),
        (
            "target: answer",
            "target: {field: answer, letter: true}",
            "fields: target: letter: the data set has no choices; name the field that lists them, `choices`",
        ),
        (
            "target: answer",
            "target: {field: answer, pattern: '(a'}",
            "fields: target: pattern: '(a' is no regular expression: "
            "missing ), unterminated subpattern at position 0",
        ),
        (
            "target: answer",
            "target: {field: answer, pattern: 'a'}",
            "fields: target: pattern: 'a' has 0 groups; put one (…) around the target",
        ),
        (
            "licence: MIT",
            "licence: MIT\nlabels: targets",
            "labels: 'targets' is no list; write a list of labels, or 'from_targets'",
        ),
    ],
)
def test_a_wrong_card_says_in_one_line_what_would_be_right(write, shop, old, new, message):
    assert old in shop
    said = refusal(write, shop.replace(old, new))
    assert said in (f"{CARD}: {message}", f"{CARD}:{message}")


def test_a_card_that_is_a_list_is_refused(write):
    said = refusal(write, "- name: shop\n")
    assert said.startswith(f"{CARD}: must be a mapping with the keys ['base', ")
