"""Two runs side by side: better is better whichever way the metric points, and only pairs are compared."""

from llmops.flips import Side, answers, flips, shifts
from llmops.records import Estimate, Example, Response
from llmops.replies import Fault
from llmops.summary import Column


def side(values: dict[str, float], text: str = "x", lower: bool = False) -> Side:
    examples = {i: Example(id=i, inputs={"q": i}, target="t") for i in "abcd"}
    responses = [Response("s", i, "m", "p", answer=f"{text}{i}") for i in values]
    column = Column(values, frozenset(), frozenset())
    return Side(examples, answers(responses), {"edits": column}, {}, frozenset({"edits"} if lower else ()))


def estimate(**fields: object) -> Estimate:
    return Estimate("s", "m", "p", "edits", value=1.0, **fields)  # type: ignore[arg-type]


def test_examples_with_a_value_in_one_run_only_are_counted() -> None:
    before, after = side({"a": 1.0, "b": 0.0, "c": 1.0}), side({"b": 1.0, "c": 0.0, "d": 1.0})
    [shift] = shifts(before, after, [estimate(difference=0.0, fixed=1, broke=1), estimate(slice="x=y")])
    assert (shift.pairs, shift.unpaired, shift.fixed, shift.broke, shift.difference) == (2, 2, 1, 1, 0.0)


def test_a_metric_of_one_run_only_has_not_moved() -> None:
    after = side({"a": 1.0})
    assert list(shifts(after._replace(columns={}), after, [estimate()])) == []


def test_fewer_is_fixed_where_lower_is_better() -> None:
    before, after = (
        side({"a": 3.0, "b": 1.0, "c": 1.0}),
        side({"a": 1.0, "b": 2.0, "c": 2.0}, "y", lower=True),
    )
    [shift] = shifts(before, after, [estimate(fixed=2, broke=1, higher_is_better=False)])
    assert (shift.fixed, shift.broke) == (1, 2)
    assert [(flip.example_id, flip.outcome) for flip in flips("edits", before, after)] == [
        ("b", "broke"),
        ("c", "broke"),
        ("a", "fixed"),
    ]


def test_a_flip_shows_the_repeat_in_which_the_answers_differ() -> None:
    before, after = side({"a": 1.0}), side({"a": 0.5})
    failed = Response("s", "a", "m", "p", repeat=1, error=Fault("timeout", "no answer in 30 s"))
    before.answers["a"][1] = Response("s", "a", "m", "p", repeat=1, answer="well")  # type: ignore[index]
    after.answers["a"][1] = failed  # type: ignore[index]
    [flip] = flips("edits", before, after)
    assert (flip.answer_before, flip.answer_after) == ("well", "timeout: no answer in 30 s")


def test_an_example_that_says_something_else_is_marked() -> None:
    before, after = side({"a": 1.0}), side({"a": 0.0})
    after.examples["a"] = Example(id="a", inputs={"q": "other"}, target="t")  # type: ignore[index]
    assert [flip.changed for flip in flips("edits", before, after)] == [True]
