from pathlib import Path

import pytest

from llmops.errors import UserError
from llmops.tracking.client import connect
from llmops.tracking.figures import metrics
from llmops.tracking.logged import download, find, numbers
from llmops.tracking.publish import RunRecord, publish
from tests.tracking.conftest import Store


def test_a_run_is_found_by_its_id_its_beginning_and_its_name(store: Store) -> None:
    run = store.runs[0]
    for wanted in (run.run_id, run.run_id[:12], run.name):
        found = find(store.uri, wanted)
        assert found is not None
        assert (found.run_id, found.model) == (run.run_id, "demo-large")
        assert found.metrics == metrics(store.records[0].estimates)
        assert found.params == store.records[0].params
    assert find(store.uri, "no such run") is None
    assert find(store.uri, 'it\'s "no" run') is None


def test_the_newest_of_a_name_is_found(fresh: str) -> None:
    twice = [RunRecord(suite="s", model="m", prompt="p") for _ in range(2)]
    newest = publish(fresh, "e", twice, print)[-1]
    found = find(fresh, "s · m · p")
    assert found is not None
    assert found.run_id == newest.run_id


def test_a_beginning_of_several_ids_is_refused(fresh: str) -> None:
    client, ids = connect(fresh), list[str]()
    tags = {"suite": "s", "model": "m", "prompt": "p"}
    while len({i[0] for i in ids}) == len(ids):
        ids.append(client.create_run("0", tags=tags).info.run_id)
    with pytest.raises(UserError, match=r"is the beginning of several runs' ids, \['[0-9a-f]{12}', "):
        find(fresh, ids[-1][0])


def test_a_runs_files_come_back_with_its_numbers(store: Store, tmp_path: Path) -> None:
    download(store.uri, store.runs[0].run_id, tmp_path)
    assert (tmp_path / "responses.jsonl").read_text(encoding="utf-8") == '{"answer": "한국어"}\n'
    assert [run.run_id for run in numbers(store.uri, [store.runs[1].run_id])] == [store.runs[1].run_id]


def test_a_run_that_is_gone_is_one_line(store: Store) -> None:
    with pytest.raises(UserError, match="MLflow at"):
        numbers(store.uri, ["0" * 32])
