"""An expectation report made binding: written down, warned of, or stopped at."""

import sys
from pathlib import Path

from llmops import jsonl
from llmops.cards.report import Report, by_expectation, describe
from llmops.errors import UserError


def hold(report: Report, path: Path, what: str) -> None:
    """Write the report to ``path``, tell its warnings, and stop at what is critical.

    Raises:
        UserError: names the first rows that do not hold.
    """
    jsonl.write_json(path, report)
    if report.warned:
        for line in by_expectation(report, "warning"):
            print(f"{what}: {line}", file=sys.stderr)
    if not report.success:
        raise UserError(describe(report))
