import pytest

from llmops.errors import UserError
from llmops.records import Example, Response
from llmops.replies import ChoiceLogprobs, Message, Reply, Turn
from llmops.tasks.likelihood import RULES, WEIGHING, answer_by, likeliest

SAID = [Message(role="user", content="Which?")]
LETTERED = Example(id="e1", inputs={}, choices=["Seoul", "Busan", "서울특별시"])
FOUND = ChoiceLogprobs(sums=[-4.0, -5.0, -6.0], tokens=[1, 2, 1], bytes=[5, 5, 15])


def answered(name, example, found, labels=()):
    asking = WEIGHING[name](example, SAID, 1, labels)
    request = next(asking)
    with pytest.raises(StopIteration) as done:
        asking.send(Reply(text="…", choice_logprobs=found))
    return request, done.value.value


def test_texts_are_weighed_and_the_answer_is_the_likeliest_ones_letter():
    request, answer = answered("weigh_texts", LETTERED, FOUND)
    assert (request.choices, request.repeat, request.messages) == (LETTERED.choices, 1, SAID)
    assert answer == "A"


def test_letters_are_weighed_where_the_prompt_names_the_choices_by_them():
    request, answer = answered("weigh_letters", LETTERED, FOUND)
    assert (request.choices, answer) == (["A", "B", "C"], "A")


def test_without_choices_the_data_sets_labels_are_weighed():
    request, answer = answered("weigh_texts", Example(id="e1", inputs={}), FOUND, ["x", "y", "z"])
    assert (request.choices, answer) == (["x", "y", "z"], "x")


@pytest.mark.parametrize(("name", "labels"), [("weigh_texts", []), ("weigh_letters", ["x"])])
def test_nothing_to_weigh_is_told(name, labels):
    with pytest.raises(UserError, match="example 'e1': has no choices to weigh; give its data set's card"):
        next(WEIGHING[name](Example(id="e1", inputs={}), SAID, 0, labels))


def test_an_answer_that_was_written_all_the_same_is_told():
    asking = WEIGHING["weigh_texts"](LETTERED, SAID, 0, [])
    next(asking)
    with pytest.raises(UserError, match="the model wrote an answer; take one that weighs"):
        asking.send(Reply(text="Seoul"))


def test_each_rule_has_its_own_likeliest_and_the_first_of_equals_wins():
    assert {rule: likeliest(FOUND, rule) for rule in RULES} == {"sum": 0, "token": 1, "byte": 2}
    equal = ChoiceLogprobs(sums=[-3.0, -2.0, -2.0], tokens=[1, 1, 1], bytes=[1, 1, 1])
    assert {likeliest(equal, rule) for rule in RULES} == {1}


def test_an_answer_that_was_written_is_the_same_by_every_rule():
    written = Response("s", "e1", "m", "p", answer="(B)", turns=[Turn(SAID, Reply(text="(B)"))])
    weighed = Response("s", "e1", "m", "p", answer="A", turns=[Turn(SAID, Reply(choice_logprobs=FOUND))])
    assert {answer_by(rule, written, LETTERED, []) for rule in RULES} == {"(B)"}
    assert [answer_by(rule, weighed, LETTERED, []) for rule in RULES] == ["A", "B", "C"]
