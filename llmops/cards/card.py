"""A data set's card: found, read, and refused when it contradicts itself."""

from pathlib import Path

from llmops.cards.checks import CHECKS
from llmops.cards.schema import Card
from llmops.config import convert, read_yaml
from llmops.errors import UserError

SETS = "data/sets"
CARD = "card.yaml"
OWN_EXPECTATIONS = "expectations.yaml"


def load_card(root: Path, name: str) -> Card:
    """Return the card of the data set ``name`` below ``root``.

    Raises:
        UserError: no such data set, no YAML, an unknown or a missing key, a file outside of the
            card's folder, a pattern without its one group.
    """
    known = names(root)
    if name not in known:
        raise UserError(f"{SETS}: no data set {name!r}; data sets are {known}")
    path = card_path(root, name)
    value = read_yaml(path)
    if not isinstance(value, dict):
        raise UserError(f"{path}: must be a mapping with the keys {sorted(Card.__struct_fields__)}")
    card: Card = convert(value, Card, str(path))
    if problem := next(filter(None, (check(card, name) for check in CHECKS)), None):
        raise UserError(f"{path}: {problem}")
    return card


def card_path(root: Path, name: str) -> Path:
    """Return where the card of the data set ``name`` lies."""
    return root / SETS / name / CARD


def names(root: Path) -> list[str]:
    """Return the data sets that have a card, sorted."""
    return sorted(path.parent.name for path in (root / SETS).glob(f"*/{CARD}"))


def own_expectations(root: Path, name: str) -> list[Path]:
    """Return the expectation file beside the card, in a list that is empty when there is none."""
    path = card_path(root, name).with_name(OWN_EXPECTATIONS)
    return [path] if path.is_file() else []
