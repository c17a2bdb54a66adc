"""The MLflow UI on the project's own store."""

import os
import sys
from pathlib import Path

from llmops.places import state_folder
from llmops.tracking.client import connect, tracking_uri

SMALL = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
"""One person's UI needs no job runners: they take 240 MB each."""


def serve(root: Path, port: int) -> None:
    """Serve the UI on loopback until it is interrupted.

    Raises:
        UserError: the store cannot be opened.
    """
    state = state_folder(root)
    uri = tracking_uri(state)
    connect(uri)
    words = ["--backend-store-uri", uri, "--default-artifact-root", (state / "mlartifacts").as_uri()]
    words += ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command = [sys.executable, "-m", "mlflow", "server", *words]
    # In this process's place, so that whatever ends this command ends the server.
    os.execve(sys.executable, command, {**SMALL, **os.environ})  # noqa: S606
