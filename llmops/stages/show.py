"""results/ and runs/ -> the terminal: the latest estimates of each suite."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from llmops import jsonl
from llmops.errors import UserError
from llmops.places import RESULTS, TRYOUTS, Places
from llmops.records import OVERALL, Estimate, Verdict
from llmops.report import rows, table


def main(
    places: Places, suite: str | None, out: str | None = None, *, as_json: bool = False, slices: bool = False
) -> None:
    """Print the newest estimates of one suite, or of every suite that has any.

    Args:
        out: look into this folder only, ``results`` or ``runs``.
    """
    found = []
    for name, newest in _latest(places, suite, (out,) if out else (RESULTS, TRYOUTS)):
        if not as_json:
            print(_source(newest.suite(name)))
        estimates = jsonl.read(newest.suite(name, "estimates.jsonl"), Estimate)
        verdicts = newest.suite(name, "verdicts.jsonl")
        judged = list(jsonl.read(verdicts, Verdict)) if verdicts.exists() else []
        found += rows(estimates, judged)
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(found), indent=1).decode())
    else:
        print(table([row for row in found if _wanted(row, slices=slices)]))


def _wanted(row: dict[str, Any], *, slices: bool) -> bool:
    """The row is a metric of the suite or one that a rule speaks of."""
    return (row["policy"] is not None or row["verdict"] is not None) and (slices or row["slice"] == OVERALL)


def _source(folder: Path) -> str:
    """Return where the estimates stand and since when: a tryout must not pass for the results."""
    written = datetime.fromtimestamp((folder / "estimates.jsonl").stat().st_mtime).astimezone()
    return f"{folder}, written {written:%Y-%m-%d %H:%M}"


def _latest(places: Places, suite: str | None, outs: Sequence[str]) -> list[tuple[str, Places]]:
    """Return each suite with the folder that was written last."""
    newest: dict[str, tuple[float, Places]] = {}
    for out in outs:
        here = Places(places.root, out)
        for path in (places.root / out).glob("*/estimates.jsonl"):
            name, age = path.parent.name, path.stat().st_mtime
            if suite in (None, name) and age > newest.get(name, (-1.0, here))[0]:
                newest[name] = (age, here)
    if not newest:
        raise UserError(
            f"show: no estimates{f' of {suite!r}' if suite else ''}; run `dvc repro` or `llmops run SUITE`"
        )
    return [(name, here) for name, (_, here) in sorted(newest.items())]
