"""All stages in one process, without DVC, into runs/<suite>/."""

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
) -> None:
    """Evaluate suites from their data sets to their MLflow runs, and print each one's table.

    Args:
        only: the models to ask; all of a suite's when None.
        limit: how many examples to ask, a random sample; all when None.
        recording: a file that gives all answers, so that no model is asked.
    """
    for name in suites:
        load_suite(places.root, name)
    fetch.main(places, suites)
    for name in suites:
        _one(places, name, only, limit, recording)


def _one(
    places: Places, name: str, only: list[str] | None, limit: int | None, recording: Path | None
) -> None:
    validate.main(places, name)
    generate.main(places, name, only, limit, recording)

    from llmops.stages import compare, gate, judge, publish, score, show

    score.main(places, name)
    judge.main(places, name)
    compare.main(places, name)
    gate.main(places, name)
    publish.main(places, name)
    show.main(places, name, places.out)
