from pathlib import Path

from llmops.tracking import read
from llmops.tracking.client import connect
from llmops.tracking.figures import Figure
from llmops.tracking.publish import RunRecord, publish
from tests.tracking.conftest import Store
from tests.tracking.samples import estimate, record, verdict


def test_runs_come_back_newest_first_with_their_numbers(store: Store) -> None:
    newest, oldest = read.runs(store.uri, store.experiment)
    assert (newest.model, oldest.model) == ("다른 모델", "demo-large")
    assert (oldest.suite, oldest.prompt, oldest.gate, oldest.status) == (
        "support",
        "support/v1",
        "fail",
        "FINISHED",
    )
    assert oldest.figure("label_accuracy", "language=ko") == Figure(
        metric="label_accuracy", slice="language=ko", value=0.1, n=1, missing=2
    )
    found = oldest.figure("label_accuracy")
    assert found is not None
    assert (found.value, found.low, found.high, found.difference, found.broke) == (
        1 / 3,
        0.1 + 0.2,
        0.7,
        -0.01,
        2,
    )
    assert oldest.figure("no such metric") is None


def test_an_unknown_cost_comes_back_as_not_known(store: Store) -> None:
    assert read.runs(store.uri, store.experiment)[0].cost_usd is None


def test_the_reasons_and_the_provenance_come_back(store: Store) -> None:
    tags = read.runs(store.uri, store.experiment)[0].tags
    assert tags["git_commit"] == "0123abc"
    assert "cost_usd: unknown for 1 of 3 responses" in tags["not_known"]


def test_an_experiment_without_runs_has_none(store: Store) -> None:
    assert read.runs(store.uri, "no such experiment") == []


def test_looking_into_a_store_that_is_not_there_does_not_make_it(tmp_path: Path) -> None:
    assert read.runs(f"sqlite:///{tmp_path / 'state' / 'mlflow.db'}", "e") == []
    assert list(tmp_path.iterdir()) == []


def test_runs_of_other_tools_are_left_out(fresh: str, tmp_path: Path) -> None:
    [run] = publish(fresh, "e", [record(tmp_path)], print)
    connect(fresh).create_run(run.experiment_id, run_name="someone else's")
    assert [found.run_id for found in read.runs(fresh, "e")] == [run.run_id]


def test_the_newest_are_given_when_there_are_more_than_wanted(fresh: str) -> None:
    rows = [estimate("cost_usd", value=float(i), low=float(i), high=float(i)) for i in range(5)]
    made = [RunRecord(suite="s", model=str(i), prompt="p", estimates=[row]) for i, row in enumerate(rows)]
    publish(fresh, "e", made, print)
    found = read.runs(fresh, "e", limit=3)
    assert [(run.model, run.cost_usd) for run in found] == [("4", 4.0), ("3", 3.0), ("2", 2.0)]


def test_more_runs_than_a_page_are_all_found(fresh: str) -> None:
    [first] = publish(
        fresh, "e", [RunRecord(suite="s", model="m", prompt="p", verdicts=[verdict("pass")])], print
    )
    client = connect(fresh)
    for _ in range(read.PAGE):
        client.create_run(first.experiment_id, tags={"suite": "s", "model": "m", "prompt": "p"})
    assert len(read.runs(fresh, "e")) == read.PAGE + 1
