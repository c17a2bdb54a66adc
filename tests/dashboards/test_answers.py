from pathlib import Path

import pytest
from answers import answer_rows, changes, confusions, in_slice, most_confused, outcome, slice_names
from estimates import of_metric
from reading import Evaluation
from shown import candidate

from llmops.places import Places
from llmops.records import Response, Score
from llmops.replies import Fault
from tests.dashboards.a_project import BASELINE, build


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory):
    root: Path = tmp_path_factory.mktemp("answers")
    build(root)
    return Evaluation(Places(root), "support")


def response(**known):
    return Response(suite="s", example_id="e", model="m", prompt="p", **known)


def score(**known):
    return Score(suite="s", example_id="e", model="m", prompt="p", metric="a", **known)


@pytest.mark.parametrize(
    ("answered", "scored", "expected"),
    [
        (response(answer="x"), score(value=1.0), "right"),
        (response(answer="x"), score(value=0.0), "wrong"),
        (response(answer="x"), score(value=0.4), "partly"),
        (response(answer="x"), score(missing="unread"), "unread"),
        (response(answer="x"), score(missing="no_target"), "no_target"),
        (response(error=Fault(kind="timeout", message="")), score(missing="error"), "error"),
        (response(error=Fault(kind="budget", message="")), score(missing="unasked"), "unasked"),
        (response(answer="x"), None, "not_scored"),
    ],
)
def test_an_answer_has_one_outcome(answered, scored, expected):
    assert outcome(answered, scored) == expected


def test_every_response_is_a_row_with_its_example(evaluation):
    rows = answer_rows(evaluation, "label_accuracy")
    assert len(rows) == len(evaluation.responses()) == 160
    assert rows["outcome"].value_counts().to_dict()["error"] == 4
    assert rows["outcome"].value_counts().to_dict()["unread"] == 16
    assert rows["search"].str.contains("환불은 언제").any()


def test_the_listed_changes_are_the_counted_ones(evaluation):
    compared = [row for row in of_metric(evaluation.estimates(), "label_accuracy") if row.baseline]
    assert len(compared) == 3
    for row in compared:
        name = candidate(row.model, row.prompt)
        listed = changes(evaluation, "label_accuracy", name, BASELINE, "wrong")["change"].value_counts()
        assert (listed["broke"], listed["fixed"]) == (row.broke, row.fixed)


def test_a_confusion_counts_every_score_with_a_target(evaluation):
    pairs = confusions(evaluation, BASELINE)
    assert pairs["count"].sum() == 40
    assert pairs[pairs["read"] == "(unread)"]["count"].sum() == 4
    assert pairs[pairs["read"] == "(error)"]["count"].sum() == 1
    assert pairs.groupby("target")["share"].sum().round(9).eq(1).all()


def test_the_matrix_keeps_the_labels_with_the_most_mistakes(evaluation):
    pairs = confusions(evaluation, BASELINE)
    assert most_confused(pairs, 2)["target"].nunique() == 2
    assert len(most_confused(pairs, 99)) == len(pairs)


def test_a_slice_holds_the_examples_that_name_it(evaluation):
    assert slice_names(evaluation) == ["language=en", "language=ko", "length=long", "length=short"]
    assert len(in_slice(evaluation, "language=ko")) == 20
