"""The dashboard of a project, served on loopback."""

import os
import subprocess
import sys
from pathlib import Path

PACKAGED = Path(__file__).parent / "dashboards" / "app.py"
CHECKOUT = Path(__file__).parent.parent / "dashboards" / "app.py"


def serve(root: Path, port: int) -> None:
    """Serve the dashboard over the project's files until it is interrupted."""
    app = PACKAGED if PACKAGED.is_file() else CHECKOUT
    words = [
        "--server.address",
        "127.0.0.1",
        "--server.port",
        str(port),
        "--browser.gatherUsageStats",
        "false",
    ]
    subprocess.run(  # noqa: S603
        [sys.executable, "-m", "streamlit", "run", str(app), *words],
        env={**os.environ, "LLMOPS_ROOT": str(root.resolve())},
        check=False,
    )
