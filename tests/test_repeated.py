"""Estimates of repeated answers."""

from msgspec.structs import replace

from llmops.records import Example, Score
from llmops.repeated import repeated_estimates
from llmops.suites import Suite
from llmops.summary import setting

SUITE = Suite(dataset="d", task="t", prompts=["p"], models=["m"], metrics=["x"], repeats=4)
EXAMPLES = [Example(f"e{i}", {}) for i in range(2)]


def _scores(*passed: int) -> list[Score]:
    return [
        Score("s", f"e{i}", "m", "p", "x", repeat=r, value=float(r < count))
        for i, count in enumerate(passed)
        for r in range(4)
    ]


def _found(scores: list[Score], suite: Suite = SUITE) -> dict[str, tuple[float | None, int, int]]:
    about = setting("s", suite, 0.95, EXAMPLES)
    return {e.metric: (e.value, e.n, e.missing) for e in repeated_estimates(suite, scores, about)}


def test_passes_of_some_and_of_all_answers_stand_for_two_four_and_all() -> None:
    assert _found(_scores(4, 2)) == {
        "x pass@2": ((1 + 5 / 6) / 2, 2, 0),
        "x pass^2": ((1 + 1 / 6) / 2, 2, 0),
        "x pass@4": (1.0, 2, 0),
        "x pass^4": (0.5, 2, 0),
    }


def test_an_example_with_too_few_answers_is_missing() -> None:
    scores = [*_scores(4), Score("s", "e1", "m", "p", "x", value=None, missing="error")]
    scores += [Score("s", "e1", "m", "p", "x", repeat=r, value=1.0) for r in (1, 2)]
    found = _found(scores)
    assert found["x pass@2"] == (1.0, 2, 0)
    assert found["x pass@4"] == (1.0, 1, 1)


def test_an_unread_answer_failed_where_unread_is_wrong() -> None:
    scores = [replace(s, value=None, missing="unread") if s.value == 0 else s for s in _scores(2, 2)]
    assert _found(scores)["x pass^2"] == (1 / 6, 2, 0)


def test_values_between_0_and_1_neither_pass_nor_fail() -> None:
    assert _found([replace(s, value=0.5) for s in _scores(4, 4)]) == {}


def test_answers_that_are_not_repeated_have_no_passes_of_many() -> None:
    assert _found(_scores(4, 2), replace(SUITE, repeats=1)) == {}
