from time import perf_counter

import pytest

from llmops.tasks.ranking import ranking
from llmops.tasks.reading import Reading


@pytest.mark.parametrize(
    ("answer", "ids"),
    [
        ('["d3", "d7"]', '["d3","d7"]'),
        ("[3, 7, 3]", '["3","7"]'),
        ('Here:\n```json\n["d3", "d7"]\n```\nDone.', '["d3","d7"]'),
        ("d3\n\nd7\n", '["d3","d7"]'),
        ("Best first:\n1. d3\n2) `d7`\nHope it helps!", '["d3","d7"]'),
        ("- **d3**\n* d7\n• d3", '["d3","d7"]'),
        ("[]", "[]"),
        ("문서-1\n문서-2", '["문서-1","문서-2"]'),
        ("[d3]\n[d7]", '["[d3]","[d7]"]'),
    ],
)
def test_ids_are_read_in_their_order(answer, ids):
    assert ranking(answer, []) == Reading(ids, None)


@pytest.mark.parametrize(
    ("answer", "reason"), [("", "empty answer"), (" \n", "empty answer"), ("***", "no ids in '***'")]
)
def test_an_answer_without_ids_is_unread(answer, reason):
    assert ranking(answer, []) == Reading(None, reason)


@pytest.mark.parametrize(
    "unit", ["a", "[", "1. ", "\n", " ", "```", "```\n", "- \n", "d1\n", '["a",', " \n-"]
)
def test_a_long_answer_takes_milliseconds(unit):
    answer = unit * (100_000 // len(unit))
    started = perf_counter()
    ranking(answer, [])
    assert perf_counter() - started < 0.3
