"""results/ and runs/ -> the terminal: the latest estimates of each suite."""

from typing import Any

import msgspec

from llmops import jsonl
from llmops.errors import UserError
from llmops.places import Places, newest
from llmops.records import OVERALL, Estimate, Verdict
from llmops.report import rows, table


def main(
    places: Places,
    suite: str | None,
    *,
    as_json: bool = False,
    slices: bool = False,
    signatures: bool = False,
) -> None:
    """Print the newest estimates of one suite, or of every suite that has any."""
    found = []
    for name, here in _latest(places, suite).items():
        estimates = jsonl.read(here.suite(name, "estimates.jsonl"), Estimate)
        verdicts = here.suite(name, "verdicts.jsonl")
        judged = list(jsonl.read(verdicts, Verdict)) if verdicts.exists() else []
        found += rows(estimates, judged)
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(found), indent=1).decode())
    else:
        print(table([row for row in found if _wanted(row, slices=slices)], signatures=signatures))


def _latest(places: Places, suite: str | None) -> dict[str, Places]:
    if found := newest(places.root, suite):
        return found
    raise UserError(
        f"show: no estimates{f' of {suite!r}' if suite else ''}; run `dvc repro` or `llmops run SUITE`"
    )


def _wanted(row: dict[str, Any], *, slices: bool) -> bool:
    """The row is a metric of the suite or one that a rule speaks of."""
    return (row["policy"] is not None or row["verdict"] is not None) and (slices or row["slice"] == OVERALL)
