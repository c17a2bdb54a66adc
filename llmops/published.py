"""Figures that others publish, as data/published.yaml lists them."""

from pathlib import Path

from llmops.config import convert, read_yaml
from llmops.records import OVERALL, Record

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


class Published(Record):
    """All of ``data/published.yaml``."""

    figures: list[Figure]
    labels: list[Labels] = []
    policies: list[Policies] = []


def load_published(root: Path) -> Published:
    """Return the published figures.

    Raises:
        UserError: no such file, or a key that is unknown, missing or of another type.
    """
    found: Published = convert(read_yaml(root / PUBLISHED), Published, PUBLISHED)
    return found
