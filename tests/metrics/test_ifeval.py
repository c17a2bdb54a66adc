import json
from time import perf_counter

import numpy as np
import pytest

from llmops.errors import UserError
from llmops.metrics.ifeval import (
    forms,
    instruction_loose,
    instruction_strict,
    instructions,
    loose,
    loose_counts,
    share,
    strict,
    strict_counts,
)
from llmops.metrics.instructions import KINDS
from llmops.metrics.unscored import Unscored

GERMAN = "Das ist ein kurzer Satz, und er ist nicht auf Englisch."
ENGLISH = "This is a short sentence and it is in English."

CASES = {
    "keywords:existence": ({"keywords": ["Mom", "mother"]}, "My MOM is a grandmother.", "My mom."),
    "keywords:frequency": (
        {"keyword": "war", "frequency": 2, "relation": "at least"}, "War, and warriors.", "One war.",
    ),
    "keywords:forbidden_words": ({"forbidden_words": ["rock"]}, "Rocky rockets.", "They Rock!"),
    "keywords:letter_frequency": (
        {"letter": "q", "let_frequency": 2, "let_relation": "less than"}, "Quiet.", "Quite quiet.",
    ),
    "language:response_language": ({"language": "de"}, GERMAN, ENGLISH),
    "length_constraints:number_sentences": (
        {"relation": "less than", "num_sentences": 3}, "Dr. No came. He left!", "One. Two? Three.",
    ),
    "length_constraints:number_paragraphs": ({"num_paragraphs": 2}, "***\none\n***\ntwo", "one\n***\n***\ntwo"),
    "length_constraints:number_words": ({"relation": "at least", "num_words": 4}, "one two-three four", "one two three"),
    "length_constraints:nth_paragraph_first_word": (
        {"first_word": "Weekend", "num_paragraphs": 2, "nth_paragraph": 2}, "a\n\n\"weekend, b", "weekend\n\nb",
    ),
    "detectable_content:number_placeholders": ({"num_placeholders": 2}, "[name], [address]", "[name] [\n]"),
    "detectable_content:postscript": ({"postscript_marker": "P.P.S"}, "Bye.\np. p.s. one more", "P.S. one more"),
    "detectable_format:number_bullet_lists": ({"num_bullets": 2}, "List:\n* a\n  - b\n**c**", "* a"),
    "detectable_format:constrained_response": ({}, "Well. My answer is maybe.", "Maybe."),
    "detectable_format:number_highlighted_sections": ({"num_highlights": 2}, "*a* and **b**", "*a* and ** **"),
    "detectable_format:multiple_sections": (
        {"section_spliter": "SECTION", "num_sections": 2}, "SECTION 1\na\nSECTION 2\nb", "SECTION 1\na\nSECTION",
    ),
    "detectable_format:json_format": ({}, '```json\n{"a": [1, 2]}\n```', '{"a": 1,}'),
    "detectable_format:title": ({}, "<<A title>>\ntext", "<<>>\ntext <<"),
    "combination:two_responses": ({}, "one\n******\ntwo", "one\n******\none"),
    "combination:repeat_prompt": ({"prompt_to_repeat": "Write a haiku."}, "write a haiku.\nFrogs", "Here: Write a haiku."),
    "startend:end_checker": ({"end_phrase": "Is that all?"}, 'Here it is. "is THAT all?"', "Is that all? Yes."),
    "change_case:capital_word_frequency": (
        {"capital_frequency": 2, "capital_relation": "at least"}, "NASA and STATE-OF-THE-ART", "NASA and Nasa",
    ),
    "change_case:english_capital": ({}, ENGLISH.upper(), ENGLISH),
    "change_case:english_lowercase": ({}, ENGLISH.lower(), GERMAN.lower()),
    "punctuation:no_comma": ({}, "one and two", "one, two"),
    "startend:quotation": ({}, ' "all of it" ', '"'),
}  # fmt: skip
"""Instruction → its arguments, an answer that follows it, one that does not."""


def target(*asked):
    return json.dumps(
        {"instruction_id_list": [kind for kind, _ in asked], "kwargs": [args for _, args in asked]}
    )


def test_all_25_kinds_are_there():
    assert len(KINDS) == 25
    assert KINDS.keys() == CASES.keys()


@pytest.mark.parametrize("kind", CASES)
def test_an_instruction_is_followed_or_not(kind):
    arguments, follows, does_not = CASES[kind]
    asked = [target((kind, arguments))] * 2
    assert strict([follows, does_not], asked) == [1.0, 0.0]
    assert loose([follows], asked[:1]) == [1.0]


@pytest.mark.parametrize(
    ("kind", "arguments", "answer"),
    [
        ("punctuation:no_comma", {}, "Sure, here it is:\nNo commas here."),  # but for the first line
        (
            "startend:end_checker",
            {"end_phrase": "The end."},
            "Story. The end.\nI hope it helps!",
        ),  # … the last
        ("startend:quotation", {}, 'Here:\n"A quotation."\nEnjoy!'),  # … both
        ("startend:end_checker", {"end_phrase": "The end."}, "Story. **The end.**"),  # … asterisks
        ("detectable_format:constrained_response", {}, "My answer is **yes**."),
    ],
)
def test_the_loose_metric_forgives_first_line_last_line_and_asterisks(kind, arguments, answer):
    asked = [target((kind, arguments))]
    assert (strict([answer], asked), loose([answer], asked)) == ([0.0], [1.0])


def test_eight_forms_are_tried():
    assert forms("a\n*b*\nc") == ["a\n*b*\nc", "*b*\nc", "a\n*b*", "*b*", "a\nb\nc", "b\nc", "a\nb", "b"]


def test_a_form_that_is_empty_follows_nothing():
    asked = [target(("punctuation:no_comma", {}))]
    assert loose(["one, two"], asked) == [0.0]


def test_prompt_and_instruction_level_differ_and_pool():
    half = target(
        ("punctuation:no_comma", {}), ("startend:quotation", {}), ("change_case:english_lowercase", {})
    )
    targets, reads = [half, target(("punctuation:no_comma", {}))], ["this is it", "a, b"]
    assert strict(reads, targets) == [0.0, 0.0]
    assert instruction_strict(reads, targets) == [2 / 3, 0.0]
    assert strict_counts(reads, targets) == loose_counts(reads, targets) == [[2.0, 3.0], [0.0, 1.0]]
    assert share(np.sum([strict_counts(reads, targets)], axis=1)) == pytest.approx([0.5])
    assert np.isnan(share(np.zeros((1, 2)))).all()


def test_an_example_without_instructions_is_unscored():
    for metric in (strict, loose, instruction_strict, instruction_loose):
        assert metric(["a"], [target()]) == [Unscored("the example has no instructions")]


def test_arguments_that_are_null_are_left_out():
    padded = target(("keywords:existence", {"keywords": ["a"], "num_words": None, "relation": None}))
    assert instructions(padded)[0].arguments == {"keywords": ["a"]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("refund", r"no JSON of instruction_id_list and kwargs"),
        (target(("vibes:good", {})), r"unknown instruction 'vibes:good'; instructions are \['change_case:"),
        (target(("length_constraints:number_words", {"num_words": 3})), r"missing required field `relation`"),
        (target(("punctuation:no_comma", {"num_words": 3})), r"unknown field `num_words`"),
        (
            target(("keywords:frequency", {"keyword": "a", "frequency": 1, "relation": "about"})),
            r"Invalid enum value",
        ),
        (
            target(("language:response_language", {"language": "tlh"})),
            r"no language 'tlh'; those that can be told",
        ),
        ('{"instruction_id_list": ["punctuation:no_comma"], "kwargs": []}', r"1 instructions with 0 kwargs"),
    ],
)
def test_a_target_that_is_not_understood_is_refused(text, message):
    with pytest.raises(UserError, match=message):
        strict(["a"], [text])


@pytest.mark.parametrize(
    "unit", ["a", "[", "*", "\n", " ", "<<", "- ", "***", "A.", "Section 1", "가", "```", ", ", "p. ", '"']
)
def test_a_long_answer_takes_milliseconds_by_any_instruction(unit):
    answer = unit * (100_000 // len(unit))
    for kind, (arguments, _, _) in CASES.items():
        asked = [target((kind, arguments))]
        started = perf_counter()
        loose_counts([answer], asked)
        assert perf_counter() - started < 0.5, kind


@pytest.mark.real_data
def test_all_541_prompts_of_the_published_data_are_understood(mirror):
    lines = (mirror / "ifeval" / "input_data.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    targets = [json.dumps({key: row[key] for key in ("instruction_id_list", "kwargs")}) for row in rows]
    prompts = [row["prompt"] for row in rows]
    counts = np.array(loose_counts(prompts, targets))
    assert (len(rows), counts[:, 1].sum()) == (541, 834)
    assert {each.kind for text in targets for each in instructions(text)} == KINDS.keys()
    assert 0.1 < share(counts.sum(axis=0)[None, :])[0] < 0.5  # a prompt read as its own answer follows some
