import subprocess
import sys
import time
from pathlib import Path

import pytest

from llmops.errors import UserError
from llmops.tracking import read
from llmops.tracking.client import connect, shown, tracking_uri
from llmops.tracking.publish import publish

ROOT = Path(__file__).resolve().parents[2]
DEAD = "http://nobody:hidden@127.0.0.1:9/mlflow"


def test_the_store_is_in_the_state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert tracking_uri(tmp_path) == f"sqlite:///{tmp_path}/mlflow.db"


def test_the_store_that_the_user_names_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
    assert tracking_uri(tmp_path) == "http://127.0.0.1:5000"


def test_a_server_that_does_not_answer_is_one_line_at_once_and_its_password_is_not_told() -> None:
    import mlflow.tracking  # noqa: F401 - the clock is not to count its loading

    begun = time.monotonic()
    with pytest.raises(UserError) as caught:
        publish(DEAD, "e", [], print)
    assert time.monotonic() - begun < 5
    assert str(caught.value) == (
        "MLFLOW_TRACKING_URI: nothing answers at 'http://127.0.0.1:9/mlflow'; "
        "start that server, or unset MLFLOW_TRACKING_URI to use the project's own store"
    )


def test_a_password_is_never_shown() -> None:
    assert shown(DEAD) == "http://127.0.0.1:9/mlflow"
    assert shown("postgresql://u:p@db/mlflow") == "postgresql://db/mlflow"


@pytest.mark.parametrize("uri", ["mlruns", "gopher://x"])
def test_a_store_that_mlflow_does_not_have_is_one_line(
    uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=f"^MLflow at '{uri}': .+; mend that and try again$"):
        connect(uri)


def test_a_file_that_is_no_database_is_one_line_and_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "mlflow.db"
    file.write_text("something else entirely", encoding="utf-8")
    with pytest.raises(UserError, match="file is not a database"):
        connect(f"sqlite:///{file}")
    assert file.read_text(encoding="utf-8") == "something else entirely"


def test_a_store_that_cannot_be_opened_is_one_line_at_once(tmp_path: Path) -> None:
    import mlflow.tracking  # noqa: F401 - the clock is not to count its loading

    (tmp_path / "mlflow.db").mkdir()
    begun = time.monotonic()
    with pytest.raises(UserError, match="unable to open database file; mend that and try again"):
        connect(f"sqlite:///{tmp_path / 'mlflow.db'}")
    assert time.monotonic() - begun < 10


@pytest.mark.slow
def test_two_processes_make_one_store_and_say_nothing(tmp_path: Path) -> None:
    state = tmp_path / "new"
    state.mkdir()
    (state / ".mlflow.db.part").write_bytes(b"what a killed process left")
    uri = f"sqlite:///{state / 'mlflow.db'}"
    code = (
        "import sys; from llmops.tracking.publish import RunRecord, publish; "
        "publish(sys.argv[1], 'e', [RunRecord(suite='s', model=sys.argv[2], prompt='p')], lambda line: None)"
    )
    command = [sys.executable, "-c", code, uri]
    at_once = [
        subprocess.Popen([*command, name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=ROOT)
        for name in "ab"
    ]
    assert [process.communicate()[0] for process in at_once] == [b"", b""]
    assert sorted(run.model for run in read.runs(uri, "e")) == ["a", "b"]


def test_naming_the_store_does_not_load_mlflow() -> None:
    code = "import sys; from llmops.tracking import client, publish, read; print('mlflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "False\n"
