import os
from pathlib import Path

import msgspec
import pytest

from llmops.cards.card import load_card
from llmops.cards.examples import labels, read_examples
from llmops.cards.expectations import check
from llmops.cards.frame import Frame, Place, example_frame, response_frame
from llmops.cards.report import describe
from llmops.cards.source import fetch
from llmops.errors import UserError
from llmops.records import Example, Response
from llmops.replies import Fault

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "data/expectations/examples.yaml"
RESPONSES = ROOT / "data/expectations/responses.yaml"
FILE = "data/raw/shop/shop.csv"


def example(number: int, **changed) -> Example:
    fields = {"id": f"e{number}", "inputs": {"q": f"question {number}"}, "target": "a", "slices": {"s": "ko"}}
    return Example(**(fields | changed))


def frame_of(*examples: Example) -> Frame:
    placed = [(Place(FILE, line), example) for line, example in enumerate(examples, 2)]
    return example_frame(placed, ["s"])


def examples_report(*examples: Example):
    return check(frame_of(*examples), EXAMPLES, {"labels": ["a", "b"], "slices": ["s"]})


def hold(write, expectations: str, *values, **named):
    """Hold a column ``x`` of ``values`` to an expectation file."""
    frame = Frame(
        ["x", "y"],
        [{"x": value, "y": 1} for value in values],
        [Place("f", n + 1) for n in range(len(values))],
    )
    return check(frame, write("e.yaml", expectations), named)


def test_good_examples_pass_with_nothing_to_say():
    report = examples_report(*map(example, range(20)))
    assert (report.success, report.checked, report.failed, report.warned) == (True, 20, 0, 0)
    assert describe(report) == describe(report, "warning") == ""


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"target": "refnd"},
            "column 'target': 'refnd' is not in the label set (expect_column_values_to_be_in_set)",
        ),
        (
            {"inputs": {"q": "caf\ufffd"}},
            r"column 'text': 'caf�' has a match of '[\\ufffd\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f]' "
            "(expect_column_values_to_not_match_regex)",
        ),
        (
            {"inputs": {"q": "a\x07"}},
            r"column 'text': 'a\x07' has a match of '[\\ufffd\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f]' "
            "(expect_column_values_to_not_match_regex)",
        ),
        (
            {"inputs": {"q": " \n"}},
            r"column 'text': ' \n' has no match of '\\S' (expect_column_values_to_match_regex)",
        ),
        (
            {"inputs": {"q": "x" * 20_001}},
            f"column 'text': '{'x' * 99}… has 20,001 characters, not 1 to 20000 "
            "(expect_column_value_lengths_to_be_between)",
        ),
    ],
)
def test_a_bad_example_is_named_by_its_file_line_and_value(changed, message):
    report = examples_report(*map(example, range(3)), example(3, **changed))
    assert not report.success
    assert describe(report) == f"{FILE}:5: {message}"


def test_an_empty_text_is_found_by_two_expectations():
    report = examples_report(example(0, inputs={"q": ""}), example(1))
    assert describe(report) == (
        f"{FILE}:2: column 'text': '' has 0 characters, not 1 to 20000 "
        "(expect_column_value_lengths_to_be_between); "
        f"{FILE}:2: column 'text': '' has no match of '\\\\S' (expect_column_values_to_match_regex)"
    )


def test_duplicate_ids_stop_and_duplicate_texts_warn():
    report = examples_report(example(0), example(1), example(1))
    assert describe(report) == (
        f"{FILE}:3: column 'id': 'e1' comes more than once (expect_column_values_to_be_unique); "
        f"{FILE}:4: column 'id': 'e1' comes more than once (expect_column_values_to_be_unique)"
    )
    assert describe(report, "warning") == (
        f"{FILE}:3: column 'text': 'question 1' comes more than once (expect_column_values_to_be_unique); "
        f"{FILE}:4: column 'text': 'question 1' comes more than once (expect_column_values_to_be_unique)"
    )
    assert (report.failed, report.warned) == (2, 2)


def test_hangul_in_pieces_warns_as_it_compares_as_different():
    report = examples_report(example(0), example(1, inputs={"q": "\u1112\u116a\u11ab불"}))
    assert report.success
    assert describe(report, "warning").startswith(f"{FILE}:3: column 'text': ")


def test_missing_targets_and_slices_are_shares_that_warn():
    report = examples_report(*map(example, range(3)), example(3, target=None, slices={}))
    assert report.success
    assert describe(report, "warning") == (
        f"{FILE}: column 'target': 0.75 over all rows; asked for min_value 0.95 "
        "(expect_column_proportion_of_non_null_values_to_be_between); "
        f"{FILE}:5: column 's': is empty (expect_column_values_to_not_be_null)"
    )


def test_a_data_set_without_labels_skips_the_label_set_and_says_so():
    report = check(frame_of(example(0, target="anything")), EXAMPLES, {"labels": None, "slices": []})
    skipped = [entry for entry in report.results if entry["success"] is None]
    assert report.success
    assert [(entry["expect"], entry["reason"]) for entry in skipped] == [
        ("expect_column_values_to_be_in_set", "not known: ['$labels']")
    ]


def test_many_failures_are_counted_and_the_first_are_told():
    report = examples_report(*(example(n, target="no") for n in range(1000)))
    assert (report.failed, len(report.failures)) == (1000, 20)
    said = describe(report, limit=2)
    assert said.count(FILE) == 2
    assert said.endswith("; and 998 more")


def test_the_same_rows_give_the_same_report_to_the_byte():
    once, twice = (examples_report(example(0), example(1, target="no")) for _ in range(2))
    assert msgspec.json.encode(once) == msgspec.json.encode(twice)


def test_a_check_writes_nothing_and_sends_nothing(write, capfd):
    write("e/unrelated", "")
    examples_report(example(0))
    assert [path.name for path in Path().iterdir()] == ["e"]
    assert os.environ["GX_ANALYTICS_ENABLED"] == "false"
    assert capfd.readouterr() == ("", "")


def response(number: int, **changed) -> Response:
    fields = {"suite": "s", "example_id": f"e{number}", "model": "m", "prompt": "p", "answer": "yes"}
    return Response(**(fields | {"finish_reason": "stop", "latency_s": 0.1} | changed))


def responses_report(*responses: Response):
    return check(response_frame("results/s/responses.jsonl", responses), RESPONSES, {})


def test_good_responses_pass_and_repeats_are_no_duplicates():
    report = responses_report(*map(response, range(20)), response(3, repeat=1))
    assert (report.success, report.failed, report.warned) == (True, 0, 0)


def test_responses_that_all_failed_warn_and_do_not_crash():
    failed = [response(n, answer=None, finish_reason=None, error=Fault("timeout", "late")) for n in range(20)]
    report = responses_report(*failed)
    assert report.success
    assert describe(report, "warning", limit=1) == (
        "results/s/responses.jsonl:1: column 'error_kind': 'timeout' where there should be nothing "
        "(expect_column_values_to_be_null); and 19 more"
    )


def test_one_response_in_twenty_may_be_empty_cut_or_failed():
    bad = [response(0, answer=""), response(1, finish_reason="length")]
    bad.append(response(2, answer=None, finish_reason=None, error=Fault("timeout", "late")))
    assert responses_report(*bad, *map(response, range(3, 40))).warned == 0


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"answer": "\n"},
            r"column 'answer': '\n' has no match of '\\S' (expect_column_values_to_match_regex)",
        ),
        (
            {"finish_reason": "length"},
            "column 'truncated': True is none of [False] (expect_column_values_to_be_in_set)",
        ),
        (
            {"answer": "x" * 100_001},
            "column 'answer_length': 100001 is not in any to 100000 (expect_column_values_to_be_between)",
        ),
    ],
)
def test_bad_answers_warn_by_line(changed, message):
    report = responses_report(*map(response, range(3)), response(3, **changed))
    assert report.success
    assert describe(report, "warning") == f"results/s/responses.jsonl:4: {message}"


def test_a_response_written_twice_stops():
    report = responses_report(response(0), response(0))
    assert describe(report, limit=1) == (
        "results/s/responses.jsonl:1: {'example_id': 'e0', 'model': 'm', 'prompt': 'p', 'repeat': 0} "
        "comes more than once (expect_compound_columns_to_be_unique); and 1 more"
    )


def test_no_rows_pass_without_a_crash():
    assert responses_report().checked == 0
    assert check(frame_of(), EXAMPLES, {"labels": ["a"], "slices": ["s"]}).checked == 0


def test_any_expectation_can_be_added_and_one_without_words_tells_its_settings(write):
    added = "- expect: expect_column_mean_to_be_between\n  column: x\n  max_value: 2\n"
    added += "- expect: expect_column_values_to_be_json_parseable\n  column: x\n"
    report = hold(write, added, 3, 4)
    assert describe(report, limit=2) == (
        "f: column 'x': 3.5 over all rows; asked for max_value 2 (expect_column_mean_to_be_between); "
        "f:1: column 'x': 3 does not hold (expect_column_values_to_be_json_parseable); and 1 more"
    )


def test_a_regular_expression_is_pythons(write):
    pattern = r"- {expect: expect_column_values_to_match_regex, column: x, regex: '^(?!bad)[가-힣]+\Z'}"
    report = hold(write, pattern, "좋아요", "bad", "good", None)
    assert [failure.line for failure in report.failures] == [2, 3]


def test_the_same_entry_twice_is_held_twice(write):
    twice = "- {expect: expect_column_values_to_not_be_null, column: x}\n" * 2
    assert hold(write, twice, None).failed == 2


@pytest.mark.parametrize(
    ("expectations", "message"),
    [
        ("expect: x", "must be a list of {expect, column, severity, …}"),
        (
            "- column: x",
            "expectation 1: names no expectation; write e.g. 'expect: expect_column_values_to_be_unique'",
        ),
        (
            "- {expect: expect_column_values_to_be_uniqe, column: x}",
            "expectation 1: unknown expectation 'expect_column_values_to_be_uniqe'; close ones are "
            "['expect_column_values_to_be_unique', 'expect_column_values_to_be_in_set', "
            "'expect_column_values_to_be_null']",
        ),
        (
            "- {expect: expect_column_values_to_be_null, column: z}",
            "expectation 1 (expect_column_values_to_be_null): no column 'z'; columns are ['x', 'y']",
        ),
        (
            "- {expect: expect_compound_columns_to_be_unique, column_list: [x, z]}",
            "expectation 1 (expect_compound_columns_to_be_unique): no column 'z'; columns are ['x', 'y']",
        ),
        (
            "- {expect: expect_column_values_to_be_in_set, column: x, value_set: $label}",
            "expectation 1: unknown value '$label'; values are ['$labels', '$slices']",
        ),
        (
            "- {expect: expect_column_values_to_be_null, column: x, severity: error}",
            "expectation 1: severity: Invalid enum value 'error'; see docs/settings.md for what is allowed",
        ),
        (
            "- {expect: expect_column_values_to_be_null, column: x, most: 0.9}",
            "expectation 1 (expect_column_values_to_be_null): most: extra fields not permitted; "
            "see Great Expectations",
        ),
        (
            "- {expect: expect_column_values_to_be_null}",
            "expectation 1 (expect_column_values_to_be_null): column: field required; see Great Expectations",
        ),
        (
            "- {expect: expect_column_values_to_be_null, column: y}\n"
            "- {expect: expect_column_values_to_match_regex, column: x, regex: '('}",
            "expectation 2 (expect_column_values_to_match_regex): cannot be held of these rows: missing ), "
            "unterminated subpattern at position 0; mend its settings",
        ),
    ],
)
def test_a_wrong_expectation_file_says_in_one_line_what_is_wrong(write, expectations, message):
    with pytest.raises(UserError) as refused:
        hold(write, expectations, "a", labels=[], slices=[])
    assert str(refused.value) == f"e.yaml: {message}"


def test_the_support_data_set_is_as_its_card_says(tmp_path):
    report, examples = validated("support", tmp_path, None)
    assert describe(report) == ""
    assert report.success
    assert {tuple(example.slices) for example in examples} == {("language", "channel", "tone")}


@pytest.mark.real_data
def test_gsm8k_is_1319_examples_with_their_targets(mirror, tmp_path):
    report, examples = validated("gsm8k", tmp_path, mirror)
    assert (report.success, report.checked, report.warned) == (True, 1319, 0)
    assert [example.target for example in examples[:3]] == ["18", "3", "70000"]


def validated(name: str, folder: Path, mirror: Path | None):
    card = load_card(ROOT, name)
    fetch(card, ROOT, folder / name, folder / "downloads", mirror, print)
    placed = list(read_examples(card, folder / name))
    examples = [example for _, example in placed]
    frame = example_frame(placed, card.slices)
    return check(frame, EXAMPLES, {"labels": labels(card, examples), "slices": card.slices}), examples


def test_a_later_file_words_an_expectation_anew_and_its_note_is_told(write):
    common = write("common.yaml", "- {expect: expect_column_values_to_be_unique, column: x}\n")
    own = write(
        "own.yaml",
        "- {expect: expect_column_values_to_be_unique, column: x, severity: warning, note: known twins}\n",
    )
    frame = Frame(["x"], [{"x": 1}, {"x": 1}], [Place("f", 1), Place("f", 2)])
    assert check(frame, [common], {}).success is False
    report = check(frame, [common, own], {})
    assert (report.success, report.warned, len(report.results)) == (True, 2, 1)
    assert describe(report, "warning").startswith("f:1: column 'x': 1 comes more than once (known twins)")
