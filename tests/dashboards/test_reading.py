import ast
import os
from pathlib import Path

import pytest
from reading import Evaluation, evaluations

from llmops import jsonl
from llmops.errors import UserError
from llmops.places import Places
from llmops.records import Verdict

DASHBOARDS = Path(__file__).parents[2] / "dashboards"


def test_a_folder_with_records_is_a_suite_and_another_is_not(project):
    (project / "results" / "notes").mkdir()
    assert [each.suite for each in evaluations(Places(project))] == ["billing", "support"]
    assert [each.suite for each in evaluations(Places(project, "runs"))] == ["support"]
    assert evaluations(Places(project, "nowhere")) == []


def test_a_file_that_has_changed_is_read_again(project):
    support = Evaluation(Places(project), "support")
    first = support.verdicts()
    assert support.verdicts() is first
    path = project / "results/support/verdicts.jsonl"
    jsonl.write(path, first[:1])
    os.utime(path, ns=(1, 1))
    assert support.verdicts() == first[:1]


def test_a_derived_frame_is_made_anew_only_when_a_file_has_changed(project):
    support, made = Evaluation(Places(project), "support"), []

    def count(evaluation):
        made.append(evaluation)
        return len(evaluation.verdicts())

    assert [support.derived(count), support.derived(count), len(made)] == [4, 4, 1]
    jsonl.write(project / "results/support/verdicts.jsonl", list[Verdict]())
    assert [support.derived(count), len(made)] == [0, 2]


@pytest.mark.parametrize(("name", "read"), [("scores.jsonl", "scores"), ("classes.csv", "classes")])
def test_a_broken_line_is_named_by_file_and_line(project, name, read):
    path = project / "results/support" / name
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[2] = "broken"
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(UserError, match=rf"{name}:3: "):
        getattr(Evaluation(Places(project), "support"), read)()


def test_an_empty_cell_of_the_classes_is_not_known(project):
    rows = Evaluation(Places(project), "support").classes()
    assert {row.f1_low for row in rows} == {None}
    assert all(row.f1 is not None for row in rows)


def test_the_dashboard_imports_no_model_and_no_stage():
    allowed = {"record", "replies", "records", "errors", "jsonl", "numbers", "places"}
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in DASHBOARDS.rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    named = {node.module.split(".")[1] for node in nodes if (node.module or "").startswith("llmops.")}
    named |= {alias.name for node in nodes if node.module == "llmops" for alias in node.names}
    assert named <= allowed
