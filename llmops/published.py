"""Figures that others publish, as data/published.yaml lists them."""

from pathlib import Path

from llmops.config import convert, read_yaml
from llmops.record import Record
from llmops.records import OVERALL

PUBLISHED = "data/published.yaml"


class Figure(Record):
    """Values of one metric that a source prints, by model."""

    suite: str
    metric: str
    source: str
    percent: dict[str, float]
    """As printed, to one decimal."""
    slice: str = OVERALL


class Column(Record):
    """A field of a data set's file that says something of each answer."""

    file: str
    field: str


class Labels(Record):
    """What a data set says of each recorded answer: exactly one of ``grades`` and ``reads``, by model."""

    suite: str
    metric: str
    source: str
    dataset: str
    match: dict[str, str]
    """File field → example field, as a recorded model names them."""
    grades: dict[str, Column] = {}
    """Whether the answer is right."""
    reads: dict[str, Column] = {}
    """How the answer is read; null: it is not."""


class Policies(Record):
    """A metric shown under each policy for unread answers."""

    suite: str
    metric: str
    slice: str = OVERALL


class Agreement(Record):
    """One printed figure of a judge: its recorded verdicts beside labels, or alone."""

    dataset: str
    judge: str
    """What was set side by side, in words."""
    statistic: str
    """One of ``concordance.STATISTICS``."""
    ours: list[str]
    """Fields of a row that hold verdicts; several, such as both orders, are taken together."""
    published: str
    """As printed: ours is rounded to as many digits."""
    source: str
    theirs: str | None = None
    """The field that holds the label, or another's verdict."""
    file: str | None = None
    """Of the data set's files; its examples with their joins when None."""


class Published(Record):
    """All of ``data/published.yaml``."""

    figures: list[Figure]
    labels: list[Labels] = []
    policies: list[Policies] = []
    agreements: list[Agreement] = []


def load_published(root: Path) -> Published:
    """Return the published figures.

    Raises:
        UserError: no such file, or a key that is unknown, missing or of another type.
    """
    found: Published = convert(read_yaml(root / PUBLISHED), Published, PUBLISHED)
    return found
