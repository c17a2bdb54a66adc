"""All Scores of a suite: those of its metrics, then those of its judges."""

from pathlib import Path

from llmops import jsonl
from llmops.records import Score

FILES = ("scores.jsonl", "judged.jsonl")


def measured(folder: Path) -> list[Score]:
    """Return the scores in a suite's folder; one from before there were judges has no file of theirs.

    Raises:
        UserError: there is no file of the metrics' scores, or a line of either is none.
    """
    own, theirs = (folder / file for file in FILES)
    return [*jsonl.read(own, Score), *(jsonl.read(theirs, Score) if theirs.is_file() else ())]
