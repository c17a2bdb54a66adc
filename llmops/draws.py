"""Draws of examples to label: how likely each was to be labelled, over all rounds."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence, Set
from pathlib import Path

from msgspec.structs import replace

from llmops import jsonl
from llmops.errors import UserError
from llmops.labelling import LABELS
from llmops.record import Record
from llmops.records import Label


class Draw(Record):
    """What one round meant for one example."""

    round: int
    """0: the labels that there were before the first draw, taken for drawn at random."""
    example_id: str
    chance: float
    """That the round drew it, had no round before."""
    drawn: bool
    at: str
    """ISO 8601."""
    seed: int


def draws_file(root: Path, suite: str) -> Path:
    """Return where a suite's draws are kept, beside its labels."""
    return root / LABELS / f"{suite}.draws.jsonl"


def read_draws(root: Path, suite: str) -> list[Draw]:
    """Return the suite's draws; none where there were none."""
    path = draws_file(root, suite)
    return jsonl.read_any(path, Draw)


def chances(draws: Iterable[Draw], labelled: Set[str]) -> dict[str, float]:
    """Return example id → how likely it was to be labelled: 1 − Π(1 − chance) over the rounds.

    A round of which people labelled a part counts as one that drew that share of each chance, since its
    examples are handed out in random order.
    """
    rounds: dict[int, list[Draw]] = defaultdict(list)
    for draw in draws:
        rounds[draw.round].append(draw)
    left: dict[str, float] = defaultdict(lambda: 1.0)
    for each in rounds.values():
        done = _share_done(each, labelled)
        for draw in each:
            left[draw.example_id] *= 1 - draw.chance * done
    return {example_id: 1 - missed for example_id, missed in left.items()}


def _share_done(draws: Sequence[Draw], labelled: Set[str]) -> float:
    drawn = [draw.example_id for draw in draws if draw.drawn]
    return math.fsum(example_id in labelled for example_id in drawn) / len(drawn) if drawn else 0.0


def with_chances(root: Path, suite: str, labels: list[Label]) -> list[Label]:
    """Return the labels with the chances of the suite's draws; as they are where there were no draws.

    Raises:
        UserError: an example was labelled that no round drew, so that its chance is not known.
    """
    draws = read_draws(root, suite)
    if not draws:
        return labels
    drawn = {draw.example_id for draw in draws if draw.drawn}
    for label in labels:
        if label.example_id not in drawn:
            raise UserError(
                f"{draws_file(root, suite)}: example {label.example_id!r} is labelled, but no round drew it; "
                "take its labels out, or this file, if all labels are of random examples"
            )
    found = chances(draws, {label.example_id for label in labels})
    return [replace(label, chance=found[label.example_id]) for label in labels]
