"""Responses to Scores: what a metric cannot tell has a reason, what it can tell needs no more than it needs."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from llmops.errors import UserError
from llmops.metrics.catalog import load_metric
from llmops.metrics.metric import Metric
from llmops.records import Example, Response, Score
from llmops.replies import Fault
from llmops.scoring import BLOCK, Pair, beside_examples, scored
from llmops.tasks.readers import READERS


def scores(task: str, metric: str, answers: list[str | None], targets: list[str | None]) -> list[Score]:
    examples = [Example(str(i), {}, target=target) for i, target in enumerate(targets)]
    broken = Fault(kind="timeout", message="late")
    responses = [
        Response("s", str(i), "m", "p", answer=answer, error=None if answer is not None else broken)
        for i, answer in enumerate(answers)
    ]
    pairs = zip(responses, examples, strict=True)
    return list(scored(READERS[task], [load_metric(metric, Path())], pairs, []))


def test_a_pair_that_a_metric_cannot_score_has_its_reason() -> None:
    one, two, three = scores("ranking", "ndcg_at_2", ["d1\nd2", "d1", "d1"], ['["d1"]', "[]", None])
    assert (one.value, one.read, one.metric, one.missing) == (1.0, '["d1","d2"]', "ndcg_at_2", None)
    assert (two.value, two.missing, two.reason) == (None, "no_target", "nothing is relevant to this example")
    assert (three.value, three.missing, three.reason) == (None, "no_target", "the example has no target")


def test_a_metric_that_needs_no_target_measures_examples_without_one() -> None:
    one, two, three, four = scores("text", "json_valid", ["{}", "{", "", None], [None] * 4)
    assert [one.value, two.value, three.value, four.value] == [1.0, 0.0, None, None]
    assert [three.missing, four.missing] == ["unread", "error"]
    assert one.target is None


def pairs(count: int) -> Iterator[Pair]:
    for i in range(count):
        yield Response("s", str(i), "m", "p", answer=f"{i % 7}"), Example(str(i), {}, target="3")


def counting(calls: list[int], *, whole: bool = False) -> Metric:
    """How far an answer lies above the least one that it came with."""

    def above_least(reads: Sequence[str], targets: Sequence[str]) -> list[float]:
        calls.append(len(reads))
        least = min(map(float, reads), default=0.0)
        return [float(read) - least for read in reads]

    return Metric("above_least", above_least, None, "above the least", whole=whole)


def test_responses_are_scored_a_block_at_a_time_and_written_response_by_response() -> None:
    calls: list[int] = []
    taken = 0

    def taking() -> Iterator[Pair]:
        nonlocal taken
        for pair in pairs(BLOCK + 3):
            taken += 1
            yield pair

    made = scored(READERS["text"], [counting(calls), load_metric("exact_match", Path())], taking(), [])
    first = next(made)
    assert (taken, calls) == (BLOCK, [BLOCK])
    rest = [first, *made]
    assert calls == [BLOCK, 3]
    assert [(row.example_id, row.metric) for row in rest[:3]] == [
        ("0", "above_least"),
        ("0", "exact_match"),
        ("1", "above_least"),
    ]
    assert len(rest) == 2 * (BLOCK + 3)
    assert [row.value for row in rest if row.metric == "exact_match"][:4] == [0.0, 0.0, 0.0, 1.0]


def test_a_metric_of_whole_columns_sees_them_whole() -> None:
    calls: list[int] = []
    late = (Response("s", "z", "m", "p", answer="-5"), Example("z", {}, target="3"))
    made = list(scored(READERS["text"], [counting(calls, whole=True)], [*pairs(BLOCK), late], []))
    assert calls == [BLOCK + 1]
    assert (made[0].value, made[-1].value) == (5.0, 0.0)


def test_no_responses_have_no_scores() -> None:
    assert list(scored(READERS["text"], [load_metric("bleu", Path())], [], [])) == []


EXAMPLES = [Example(name, {}) for name in "abc"]


def found(ids: str, read: list[int] | None = None) -> list[str]:
    def examples() -> Iterator[Example]:
        (read if read is not None else []).append(1)
        return iter(EXAMPLES)

    responses = (Response("s", name, "m", "p") for name in ids)
    return [example.id for _, example in beside_examples(responses, examples)]


@pytest.mark.parametrize("ids", ["abcabc", "aabbcc", "acac", "cba", "b", ""])
def test_a_response_stands_beside_its_example_in_any_order(ids: str) -> None:
    assert found(ids) == list(ids)


def test_examples_are_read_once_for_each_run() -> None:
    read: list[int] = []
    assert found("aabbccaabbcc", read) == list("aabbccaabbcc")
    assert len(read) == 2


def test_the_answer_to_no_example_is_refused_by_its_id() -> None:
    with pytest.raises(UserError, match=r"responses.jsonl: 'x' is no example's id; run `llmops generate`"):
        found("ax")
