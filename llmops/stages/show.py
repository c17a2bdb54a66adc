"""results/ and runs/ -> the terminal: the latest estimates of each suite."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from llmops import jsonl
from llmops.errors import UserError
from llmops.places import OUTS, Places, newest
from llmops.records import OVERALL, Estimate, Ranked, Verdict
from llmops.report import ranks, rows, stops, table, wanted_labels


class View(NamedTuple):
    """How the estimates are shown."""

    as_json: bool = False
    slices: bool = False
    signatures: bool = False


DEFAULT = View()


def main(places: Places, suite: str | None, out: str | None = None, view: View = DEFAULT) -> None:
    """Print the newest estimates of one suite, or of every suite that has any.

    Args:
        out: look into this folder only, ``results`` or ``runs``.
    """
    found, ranking = [], []
    for name, here in _latest(places, suite, (out,) if out else OUTS).items():
        if not view.as_json:
            print(_source(here.suite(name)))
        estimates = jsonl.read(here.suite(name, "estimates.jsonl"), Estimate)
        verdicts = here.suite(name, "verdicts.jsonl")
        judged = jsonl.read_any(verdicts, Verdict)
        found += rows(estimates, judged)
        ranking += jsonl.read_any(here.suite(name, "ranking.jsonl"), Ranked)
    if view.as_json:
        print(msgspec.json.format(msgspec.json.encode(found), indent=1).decode())
    else:
        print(table([row for row in found if _wanted(row, slices=view.slices)], signatures=view.signatures))
        for line in [*stops(found), *wanted_labels(found), *ranks(ranking)]:
            print(line)


def _latest(places: Places, suite: str | None, outs: Sequence[str]) -> dict[str, Places]:
    if found := newest(places.root, suite, outs):
        return found
    raise UserError(
        f"show: no estimates{f' of {suite!r}' if suite else ''}; run `dvc repro` or `llmops run SUITE`"
    )


def _wanted(row: dict[str, Any], *, slices: bool) -> bool:
    """The row is a metric of the suite or one that a rule speaks of."""
    return (row["policy"] is not None or row["verdict"] is not None) and (slices or row["slice"] == OVERALL)


def _source(folder: Path) -> str:
    """Return where the estimates stand and since when: a tryout must not pass for the results."""
    written = datetime.fromtimestamp((folder / "estimates.jsonl").stat().st_mtime).astimezone()
    return f"{folder}, written {written:%Y-%m-%d %H:%M}"
