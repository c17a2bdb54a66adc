import json
import struct
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from llmops.errors import UserError
from llmops.tracking.client import connect
from llmops.tracking.figures import metric_name, metrics
from llmops.tracking.publish import RunRecord, publish
from tests.tracking.conftest import Store
from tests.tracking.samples import SOURCE, estimate, record, verdict


def bits(number: float) -> bytes:
    return struct.pack("d", number)


def statuses(uri: str) -> list[str]:
    client = connect(uri)
    found = client.search_runs([e.experiment_id for e in client.search_experiments()])
    return [run.info.status for run in found]


def test_a_run_has_a_name_that_a_person_understands(store: Store) -> None:
    assert [store.run(i).info.run_name for i in (0, 1)] == [
        "support · demo-large · support/v1",
        "support · 다른 모델 · support/v1",
    ]
    assert store.said[0].startswith("support · demo-large · support/v1: gate fail, 5 traces, ")


def test_every_number_comes_back_bit_for_bit(store: Store) -> None:
    logged = store.run(0).data.metrics
    assert logged["label_accuracy"] == 1 / 3
    assert logged["label_accuracy.low"] == 0.1 + 0.2
    assert {name: bits(value) for name, value in logged.items()} == {
        name: bits(value) for name, value in metrics(store.records[0].estimates).items()
    }


def test_an_unknown_number_is_named_and_not_zero(store: Store) -> None:
    run = store.run(0)
    assert "cost_usd" not in run.data.metrics
    assert run.data.tags["not_known"] == (
        "label_accuracy/language/ko interval: 1 example, 2 are needed; cost_usd: unknown for 1 of 3 responses"
    )


def test_all_params_are_there_though_mlflow_takes_a_hundred_at_once(store: Store) -> None:
    assert store.run(0).data.params == store.records[0].params


def test_a_run_that_failed_its_gate_is_finished_and_says_so(store: Store) -> None:
    run = store.run(0)
    assert (run.info.status, run.data.tags["gate"]) == ("FINISHED", "fail")
    assert (
        "- **fail** label_accuracy at least 0.8: 0.333 [0.3, 0.7]; 기준 미달"
        in run.data.tags["mlflow.note.content"]
    )
    assert store.run(1).data.tags["gate"] == "none"


def test_verdicts_are_a_table_in_the_form_that_mlflow_loads(store: Store, tmp_path: Path) -> None:
    run = store.run(0)
    assert json.loads(run.data.tags["mlflow.loggedArtifacts"]) == [{"path": "verdicts.json", "type": "table"}]
    copy = store.client.download_artifacts(run.info.run_id, "verdicts.json", str(tmp_path))
    table = pd.read_json(copy, orient="split")
    assert list(table["outcome"]) == ["pass", "fail"]
    assert set(table["reason"]) == {"0.333 [0.3, 0.7]; 기준 미달"}


def test_provenance_and_the_runs_place_are_tags(store: Store) -> None:
    tags = store.run(1).data.tags
    assert (tags["git_commit"], tags["data_sha256"]) == ("0123abc", "d" * 64)
    assert (tags["suite"], tags["model"], tags["prompt"]) == ("support", "다른 모델", "support/v1")


def test_files_are_kept_in_their_folders(store: Store, tmp_path: Path) -> None:
    run_id = store.runs[0].run_id
    assert {f.path for f in store.client.list_artifacts(run_id)} == {
        "plots",
        "responses.jsonl",
        "verdicts.json",
    }
    assert [f.path for f in store.client.list_artifacts(run_id, "plots")] == ["plots/classes.csv"]
    copy = store.client.download_artifacts(run_id, "responses.jsonl", str(tmp_path))
    assert Path(copy).read_text(encoding="utf-8") == '{"answer": "한국어"}\n'


def test_the_data_set_is_an_input_with_its_source(store: Store) -> None:
    import mlflow.data
    from mlflow.types import Schema

    [found] = store.run(0).inputs.dataset_inputs
    assert (found.dataset.name, found.dataset.digest) == ("support", "a" * 36)
    assert {tag.key: tag.value for tag in found.tags} == {
        "mlflow.data.context": "evaluation",
        "sha256": "a" * 64,
    }
    assert mlflow.data.get_source(found).to_dict() == {"url": SOURCE}
    columns = Schema.from_json(json.dumps(json.loads(found.dataset.schema)["mlflow_colspec"]))
    assert columns.input_names() == ["id", "message", "target", "language"]
    assert json.loads(found.dataset.profile) == {"num_rows": 5, "num_elements": 20}


def test_a_server_run_has_a_page_and_a_file_has_none(store: Store) -> None:
    run = store.runs[0]
    page = f"{store.uri}/#/experiments/{run.experiment_id}/runs/{run.run_id}"
    assert run.url == (page if store.uri.startswith("http") else None)


def test_files_of_a_sqlite_store_lie_beside_it(fresh: str, tmp_path: Path) -> None:
    publish(fresh, "e", [record(tmp_path)], print)
    assert list(tmp_path.glob("상태 folder/mlartifacts/*/artifacts/plots/classes.csv"))


def test_nothing_of_the_environment_is_published(
    fresh: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "sk-not-to-be-seen"  # noqa: S105
    for name in ("OPENAI_API_KEY", "MLFLOW_TRACKING_PASSWORD", "USER", "HOSTNAME"):
        monkeypatch.setenv(name, secret)
    publish(fresh, "e", [record(tmp_path)], print)
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) > 5
    assert not [content for content in written if secret.encode() in content]


def test_more_metrics_than_mlflow_takes_at_once_are_all_there(fresh: str) -> None:
    rows = [estimate(cut=f"topic={i}") for i in range(300)]
    [run] = publish(fresh, "e", [RunRecord(suite="s", model="m", prompt="p", estimates=rows)], print)
    assert len(connect(fresh).get_run(run.run_id).data.metrics) == 1500


def test_a_long_list_of_the_unknown_is_cut_and_does_not_stop_the_run(fresh: str) -> None:
    rows = [estimate(cut=f"topic={i}", value=None, reason="r" * 50) for i in range(300)]
    [run] = publish(fresh, "e", [RunRecord(suite="s", model="m", prompt="p", estimates=rows)], print)
    assert connect(fresh).get_run(run.run_id).data.tags["not_known"].endswith("…")


@pytest.mark.parametrize("outcome", ["pass", "inconclusive", "fail"])
def test_the_gate_is_the_worst_verdict(fresh: str, outcome: str) -> None:
    verdicts = [verdict("pass"), verdict(outcome), verdict("pass")]
    [run] = publish(fresh, "e", [RunRecord(suite="s", model="m", prompt="p", verdicts=verdicts)], print)
    assert connect(fresh).get_run(run.run_id).data.tags["gate"] == outcome


def test_what_stops_half_way_leaves_a_failed_run_and_one_line(fresh: str, tmp_path: Path) -> None:
    good, lost = record(tmp_path), record(tmp_path, artifacts={"": [tmp_path / "lost.csv"]})
    with pytest.raises(
        UserError, match=r"(?s)^MLflow at 'sqlite:.*lost\.csv.*; mend that and try again$"
    ) as caught:
        publish(fresh, "e", [good, lost], print)
    assert "\n" not in str(caught.value)
    assert sorted(statuses(fresh)) == ["FAILED", "FINISHED"]


def test_a_server_that_refuses_something_gets_a_failed_run(server: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="mend that and try again"):
        publish(server, "refused", [record(tmp_path, params={"what?": "1"})], print)
    assert "RUNNING" not in statuses(server)
    assert "FAILED" in statuses(server)


class Interrupted(list):
    def __iter__(self) -> Iterator[object]:
        raise KeyboardInterrupt


def test_a_run_that_is_interrupted_is_not_left_running(fresh: str, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        publish(fresh, "e", [record(tmp_path, traced=Interrupted())], print)
    assert statuses(fresh) == ["FAILED"]


def test_a_bug_of_ours_is_not_put_down_to_mlflow(fresh: str, tmp_path: Path) -> None:
    with pytest.raises(AttributeError):
        publish(fresh, "e", [record(tmp_path, traced=["no record"])], print)
    assert statuses(fresh) == ["FAILED"]


def test_metric_names_in_mlflow_are_those_that_figures_promise(store: Store) -> None:
    assert metric_name("label_accuracy", "주제=환불/교환") in store.run(0).data.metrics
