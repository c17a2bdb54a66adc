import pytest

from llmops.errors import UserError
from llmops.tasks.asking import ASKING
from llmops.tasks.catalog import TASKS, load_task
from llmops.tasks.likelihood import WEIGHING
from llmops.tasks.readers import READERS, load_reader


@pytest.mark.parametrize(("name", "read"), [("label", "yes"), ("number", "5"), ("text", "Yes: 5")])
def test_each_task_reads_the_same_answer_its_own_way(name, read):
    assert load_reader(name, "here")(" Yes: 5 ", ["yes", "no"]).text == read


@pytest.mark.parametrize("name", TASKS)
def test_every_task_is_asked_in_a_way_that_exists(name):
    assert TASKS[name].asking in {*ASKING, *WEIGHING}
    assert TASKS[name].help


def test_every_task_reads():
    assert READERS.keys() == TASKS.keys()


def test_an_unknown_task_is_refused_with_those_there_are():
    with pytest.raises(UserError) as refused:
        load_task("vibes", "params.yaml: suites: support: task")
    assert str(refused.value) == (
        "params.yaml: suites: support: task: unknown task 'vibes'; tasks are ['announced_choice', 'choice', 'final', 'label', 'likelihood_choice', 'likelihood_label', 'likelihood_letter', 'number', 'ranking', 'text', 'tool_call']"
    )


def test_white_space_alone_is_no_text():
    assert load_reader("text", "here")(" \n", []) == (None, "empty answer")
