"""The dashboard of a project, served on loopback."""

import os
import sys
from pathlib import Path

PACKAGED = Path(__file__).parent / "dashboards" / "app.py"
CHECKOUT = Path(__file__).parent.parent / "dashboards" / "app.py"


def serve(root: Path, port: int) -> None:
    """Become the dashboard's server, over the project's files."""
    app = PACKAGED if PACKAGED.is_file() else CHECKOUT
    words = [
        "--server.address",
        "127.0.0.1",
        "--server.port",
        str(port),
        "--browser.gatherUsageStats",
        "false",
    ]
    os.environ["LLMOPS_ROOT"] = str(root.resolve())
    os.execv(sys.executable, [sys.executable, "-m", "streamlit", "run", str(app), *words])  # noqa: S606
