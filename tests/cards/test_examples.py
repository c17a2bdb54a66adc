from pathlib import Path

import pytest

from llmops.cards.card import load_card
from llmops.cards.examples import labels, read_examples
from llmops.errors import UserError
from llmops.records import Example

RAW = Path("data/raw/shop")
FIELDS = "fields: {inputs: [question], target: answer}"


@pytest.fixture
def read(write, shop):
    """Return a function: (file's ending, its content, the card's last lines) → what is read."""

    def go(ending: str, content: str, more: str = FIELDS):
        card = shop.replace(FIELDS, more).replace("shop.csv", f"shop{ending}")
        write("data/sets/shop/card.yaml", card)
        write(f"data/raw/shop/shop{ending}", content)
        return list(read_examples(load_card(Path(), "shop"), RAW))

    return go


@pytest.fixture
def refusal(read):
    def go(*given: str) -> str:
        with pytest.raises(UserError) as refused:
            read(*given)
        assert "\n" not in str(refused.value)
        return str(refused.value)

    return go


def test_rows_without_ids_are_numbered(read):
    found = read(".csv", "question,answer\nwhere is it,parcel\nwhen,time\n")
    assert [str(place) for place, _ in found] == ["data/raw/shop/shop.csv:2", "data/raw/shop/shop.csv:3"]
    assert found[0][1] == Example(id="shop-0001", inputs={"question": "where is it"}, target="parcel")
    assert found[1][1].id == "shop-0002"


def test_every_field_of_the_card_finds_its_place(read):
    ((_, example),) = read(
        ".jsonl",
        '{"key": 7, "text": "q", "n": [1, null], "a": "so: 1,200", "talk": 3, "docs": ["d"], "f": [{"x": 1}],'
        ' "s": "ko", "t": ""}\n',
        """fields:
  id: key
  inputs: {message: text, numbers: n}
  target: {field: a, pattern: 'so: (.+)$'}
  cluster: talk
  contexts: docs
  tools: f
slices: [s, t]
""",
    )
    assert example == Example(
        id="7",
        inputs={"message": "q", "numbers": [1, None]},
        target="1,200",
        slices={"s": "ko"},
        cluster="3",
        contexts=["d"],
        tools=[{"x": 1}],
    )


@pytest.mark.parametrize(
    ("written", "target"),
    [("3", "3"), ("3.5", "3.5"), ("true", "true"), ("null", None), ('""', None), ('"ㄱ"', "ㄱ")],
)
def test_a_target_is_text_or_unknown(read, written, target):
    ((_, example),) = read(".jsonl", f'{{"question": "q", "answer": {written}}}')
    assert example.target == target


def test_one_context_may_stand_without_a_list(read):
    ((_, example),) = read(".jsonl", '{"q": "q", "c": "d"}', "fields: {inputs: [q], contexts: c}")
    assert (example.contexts, example.target) == (["d"], None)


def test_labels_are_the_cards_or_those_of_the_targets(read):
    rows = "question,answer\na,y\nb,x\nc,\nd,y\n"
    for more, expected in [("", None), ("labels: from_targets", ["x", "y"]), ("labels: [z, y]", ["z", "y"])]:
        found = read(".csv", rows, f"{FIELDS}\n{more}")
        assert labels(load_card(Path(), "shop"), (example for _, example in found)) == expected


@pytest.mark.parametrize(
    ("content", "fields", "message"),
    [
        (
            '{"question": "q", "answer": "a"}\n{"qestion": "q", "answer": "a"}\n',
            FIELDS,
            "shop.jsonl:2: no field 'question'; the row has ['qestion', 'answer']",
        ),
        ('{"question": "q"}', FIELDS, "shop.jsonl:1: no field 'answer'; the row has ['question']"),
        (
            '{"question": "q"}',
            "fields: {inputs: [question]}\nslices: [s]",
            "shop.jsonl:1: no field 's'; the row has ['question']",
        ),
        (
            '{"id": "a", "q": 1}\n\n{"id": "b", "q": 1}\n{"id": "a", "q": 2}\n',
            "fields: {id: id, inputs: [q]}",
            "shop.jsonl:4: id 'a' is that of line 1 too; ids must differ",
        ),
        (
            '{"id": null, "q": 1}',
            "fields: {id: id, inputs: [q]}",
            "shop.jsonl:1: field 'id' is empty; each example needs an id",
        ),
        ("\n", FIELDS, "shop.jsonl: holds no examples; a data set needs at least one row"),
        (
            '{"question": "q", "answer": "#### 3"}\n{"question": "q", "answer": "three"}',
            "fields: {inputs: [question], target: {field: answer, pattern: '#### (.+)$'}}",
            "shop.jsonl:2: field 'answer' has no match of '#### (.+)$'; mend row or pattern",
        ),
        (
            '{"question": "q", "answer": ["a"]}',
            "fields: {inputs: [question], target: {field: answer, pattern: '(a)'}}",
            "shop.jsonl:1: field 'answer' is a list; it must be text or a number",
        ),
        (
            '{"q": "q", "c": ["d", 3]}',
            "fields: {inputs: [q], contexts: c}",
            "shop.jsonl:1: field 'c' holds 3; it must be a list of texts",
        ),
    ],
)
def test_a_bad_row_says_in_one_line_what_is_wrong(refusal, content, fields, message):
    assert refusal(".jsonl", content, fields) == f"data/raw/shop/{message}"


def test_a_csv_file_of_nothing_but_a_header_holds_no_examples(refusal):
    said = refusal(".csv", "question,answer\n")
    assert said == "data/raw/shop/shop.csv: holds no examples; a data set needs at least one row"


def test_a_target_that_is_a_list_or_an_object_is_kept_as_json(read):
    ((_, one), (_, two)) = read(
        ".jsonl", '{"question": "q", "answer": ["d1", "d2"]}\n{"question": "r", "answer": {"d1": 2}}\n'
    )
    assert (one.target, two.target) == ('["d1","d2"]', '{"d1":2}')


def test_several_fields_are_one_target(read):
    ((_, example),) = read(
        ".jsonl",
        '{"question": "q", "ids": ["punctuation:no_comma"], "kwargs": [{}]}\n',
        "fields: {inputs: [question], target: [ids, kwargs]}",
    )
    assert example.target == '{"ids":["punctuation:no_comma"],"kwargs":[{}]}'


def test_one_of_several_target_fields_that_a_row_lacks_is_named(refusal):
    message = refusal(
        ".jsonl", '{"question": "q", "ids": []}\n', "fields: {inputs: [question], target: [ids, kwargs]}"
    )
    assert "no field 'kwargs'" in message
