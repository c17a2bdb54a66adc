"""Suites from Python: run one, read its estimates, hold it to its rules."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from llmops import jsonl
from llmops.errors import UserError
from llmops.places import TRYOUTS, Places, newest
from llmops.records import Estimate, Outcome, Verdict
from llmops.rules import worst
from llmops.suites import Suite, load_suite

if TYPE_CHECKING:
    import pandas as pd


class LoadedSuite(NamedTuple):
    """A suite of a project, with its newest results."""

    root: Path
    name: str
    suite: Suite

    def run(self, limit: int | None = None, models: list[str] | None = None) -> "LoadedSuite":
        """Evaluate the suite into ``runs/``, as ``llmops run`` does, and return it."""
        from llmops.tryout import main

        _outside_of_loops(lambda: main(Places(self.root, TRYOUTS), [self.name], models, limit))
        return self

    def estimates(self) -> "pd.DataFrame":
        """Return the newest estimates, a row each, a column for each field of `Estimate`."""
        import pandas as pd

        rows = jsonl.read(self._newest().suite(self.name, "estimates.jsonl"), Estimate)
        return pd.DataFrame([msgspec.structs.asdict(row) for row in rows])

    def verdicts(self) -> list[Verdict]:
        """Return the newest verdicts."""
        return list(jsonl.read(self._newest().suite(self.name, "verdicts.jsonl"), Verdict))

    def report(self, form: str = "md", against: str | None = None) -> str:
        """Return the report, as ``llmops report`` writes it."""
        from llmops.reporting import report

        return report(Places(self.root), self.name, form, against)

    def check(self, *, inconclusive: Outcome = "pass") -> None:
        """Raise an error with the report's text unless the newest results hold the rules.

        Args:
            inconclusive: what an inconclusive verdict counts as, ``pass`` or ``fail``.

        Raises:
            AssertionError: a rule failed.
        """
        found = worst(verdict.outcome for verdict in self.verdicts())
        if found == "fail" or (found == "inconclusive" and inconclusive == "fail"):
            raise AssertionError(self.report())

    def _newest(self) -> Places:
        found = newest(self.root, self.name).get(self.name)
        if found is None:
            raise UserError(f"{self.name}: has no estimates; call run() or run `dvc repro`")
        return found


def _outside_of_loops(work: Callable[[], None]) -> None:
    """Do the work here, or in another thread where an event loop runs in this one, as a notebook's does."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        work()
        return
    with ThreadPoolExecutor(1) as threads:
        threads.submit(work).result()


def load(name: str, root: Path | str = ".") -> LoadedSuite:
    """Return a suite of the project in ``root``.

    Raises:
        UserError: params.yaml names no such suite, or contradicts itself.
    """
    return LoadedSuite(Path(root), name, load_suite(Path(root), name))
