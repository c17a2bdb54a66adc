"""Responses to Scores: what a metric cannot tell has a reason, what it can tell needs no more than it needs."""

from pathlib import Path

from llmops.metrics.catalog import load_metric
from llmops.records import Example, Fault, Response, Score
from llmops.scoring import scored
from llmops.tasks.catalog import TASKS


def scores(task: str, metric: str, answers: list[str | None], targets: list[str | None]) -> list[Score]:
    examples = {str(i): Example(str(i), {}, target=target) for i, target in enumerate(targets)}
    broken = Fault(kind="timeout", message="late")
    responses = [
        Response("s", str(i), "m", "p", answer=answer, error=None if answer is not None else broken)
        for i, answer in enumerate(answers)
    ]
    return scored(TASKS[task], [load_metric(metric, Path())], examples, responses, [])


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
