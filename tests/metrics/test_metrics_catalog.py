from pathlib import Path

import pytest

from llmops.errors import UserError
from llmops.metrics.catalog import METRICS, fits, load_metric
from llmops.tasks.catalog import TASKS

OWN = '''
from dataclasses import dataclass


@dataclass
class Limit:
    words: int = 3


def brevity(reads, targets):
    """Words of the answer."""
    return [len(read.split()) for read in reads]


brevity.higher_is_better = False
brevity.tasks = ["text"]
_hidden = brevity
'''


@pytest.fixture
def root(tmp_path):
    (tmp_path / "my").mkdir()
    (tmp_path / "my" / "own.py").write_text(OWN, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_goes_by_its_own_name_and_fits_a_task_that_exists(name):
    metric = load_metric(name, Path())
    assert metric.name == name
    assert metric.tasks
    assert metric.tasks <= set(TASKS)


@pytest.mark.parametrize("task", TASKS)
def test_every_task_has_a_metric(task):
    assert any(task in metric.tasks for metric in METRICS.values())


def test_a_project_adds_a_metric_of_its_own(root):
    metric = load_metric("my/own.py:brevity", root)
    assert metric.function(["a b c"], [""]) == [3]
    assert (metric.name, metric.summary) == ("my/own.py:brevity", "Words of the answer.")
    assert (metric.higher_is_better, metric.tasks) == (False, {"text"})


def test_an_edited_metric_has_another_version(root):
    before = load_metric("my/own.py:brevity", root)
    (root / "my" / "own.py").write_text(OWN.replace("len(read.split())", "len(read)"), encoding="utf-8")
    after = load_metric("my/own.py:brevity", root)
    assert before.version != after.version
    assert after.function(["a b c"], [""]) == [5]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("vibes", "unknown metric 'vibes'; metrics are ['choice_accuracy', "),
        ("my/none.py:f", "no file 'my/none.py'"),
        ("../own.py:f", "lies outside the project"),
        ("my/own.py:f", "no function 'f'; functions are ['brevity']"),
    ],
)
def test_a_metric_that_is_not_there_is_refused(root, name, message):
    with pytest.raises(UserError) as refused:
        load_metric(name, root)
    assert message in str(refused.value)


def test_a_file_that_cannot_be_run_is_refused(root):
    (root / "broken.py").write_text("1 / 0", encoding="utf-8")
    with pytest.raises(UserError, match=r"broken\.py: ZeroDivisionError: division by zero"):
        load_metric("broken.py:f", root)


def test_a_metric_that_does_not_fit_the_task_is_refused_with_those_that_do():
    with pytest.raises(UserError) as refused:
        fits(METRICS["numeric_match"], "label", "suites.support.metrics")
    assert str(refused.value) == (
        "suites.support.metrics: 'numeric_match' does not fit task 'label'; "
        "those that fit are ['exact_match', 'label_accuracy']"
    )


def test_a_metric_without_tasks_fits_any():
    fits(METRICS["chrf"]._replace(tasks=None), "label", "here")
