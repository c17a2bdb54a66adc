"""All stages in one process, without DVC, into runs/<suite>/."""

import sys
from pathlib import Path

from llmops.places import Places
from llmops.stages import fetch, generate, validate
from llmops.suites import load_suite


def main(
    places: Places,
    suites: list[str],
    only: list[str] | None,
    limit: int | None,
    recording: Path | None = None,
    *,
    sequential: bool = False,
) -> None:
    """Evaluate suites from their data sets to their MLflow runs, and print each one's table.

    Args:
        only: the models to ask; all of a suite's when None.
        limit: how many examples to ask, a random sample; all when None.
        recording: a file that gives all answers, so that no model is asked.
        sequential: ask each run only until a sequential test has decided the rules on it.
    """
    for name in suites:
        load_suite(places.root, name)
    fetch.main(places, suites)
    for name in suites:
        validate.main(places, name)
        if sequential:
            _ask_until_decided(places, name, only, limit, recording)
        else:
            generate.main(places, name, only, limit, recording)
        _evaluate(places, name, recording)


def _ask_until_decided(
    places: Places, name: str, only: list[str] | None, limit: int | None, recording: Path | None
) -> None:
    from llmops.looks import Looks

    looks = Looks(places, name)
    generate.main(places, name, only, limit, recording, looks)
    for line in looks.told():
        print(line, file=sys.stderr)


def _evaluate(places: Places, name: str, recording: Path | None) -> None:
    from llmops.stages import compare, gate, judge, publish, score, show

    score.main(places, name)
    judge.main(places, name, recording)
    compare.main(places, name)
    gate.main(places, name)
    publish.main(places, name)
    show.main(places, name, places.out)
