"""Metrics of a ranked list of ids against those that are relevant."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import msgspec

from llmops.errors import UserError
from llmops.metrics.unscored import Unscored

NOTHING_RELEVANT = Unscored("nothing is relevant to this example")

Values = list[float | Unscored]
Grades = Mapping[str, float]
"""Relevant id → its grade above 0."""


def precision(reads: Sequence[str], targets: Sequence[str], k: int) -> Values:
    """Return the share of the first k places that a relevant id takes; an empty place is a miss.

    Here as in all of these: a read is the JSON list that the task ``ranking`` reads; a target is a
    JSON list of the relevant ids, or a JSON object of ids to grades, 0 for irrelevant. A pair with
    nothing relevant is unscored.

    Raises:
        UserError: a target is neither, or a grade is below 0.
    """
    return _each(lambda ids, grades: _hits(ids[:k], grades) / k, reads, targets)


def recall(reads: Sequence[str], targets: Sequence[str], k: int) -> Values:
    """Return the share of the relevant ids that stand in the first k places."""
    return _each(lambda ids, grades: _hits(ids[:k], grades) / len(grades), reads, targets)


def reciprocal_rank(reads: Sequence[str], targets: Sequence[str], k: int | None = None) -> Values:
    """Return 1 / place of the first relevant id, 0 when the list (its first k places) has none.

    Its mean is the mean reciprocal rank (Voorhees 1999, TREC-8).
    """
    return _each(lambda ids, grades: _reciprocal(ids[:k], grades), reads, targets)


def average_precision(reads: Sequence[str], targets: Sequence[str], k: int | None = None) -> Values:
    """Return the mean, over the relevant ids, of the precision down to each one's place.

    An id that is not ranked adds 0. Its mean is mean average precision (Manning, Raghavan & Schütze
    2008, section 8.4). With k the mean is over at most k ids, so that a perfect list has 1.
    """
    return _each(
        lambda ids, grades: _average(ids[:k], grades) / min(len(grades), k or len(grades)), reads, targets
    )


def ndcg(reads: Sequence[str], targets: Sequence[str], k: int | None = None) -> Values:
    """Return the discounted cumulative gain over that of the best order.

    Σ grade / log2(place + 1) over the first k places (Järvelin & Kekäläinen 2002, ACM TOIS
    20:422–446, with the discount of Burges et al. 2005 and linear gains, as scikit-learn has it).
    """
    return _each(lambda ids, grades: _gain(ids, grades, k) / _gain(_best(grades), grades, k), reads, targets)


def _each(
    measure: Callable[[list[str], Grades], float], reads: Sequence[str], targets: Sequence[str]
) -> Values:
    pairs = [(_ids(read), _grades(target)) for read, target in zip(reads, targets, strict=True)]
    return [measure(ids, grades) if grades else NOTHING_RELEVANT for ids, grades in pairs]


def _hits(ids: Sequence[str], grades: Grades) -> int:
    return sum(name in grades for name in ids)


def _reciprocal(ids: Sequence[str], grades: Grades) -> float:
    return next((1 / place for place, name in enumerate(ids, 1) if name in grades), 0.0)


def _average(ids: Sequence[str], grades: Grades) -> float:
    places = [place for place, name in enumerate(ids, 1) if name in grades]
    return math.fsum(hits / place for hits, place in enumerate(places, 1))


def _gain(ids: Sequence[str], grades: Grades, k: int | None) -> float:
    return math.fsum(grades.get(name, 0.0) / math.log2(place + 1) for place, name in enumerate(ids[:k], 1))


def _best(grades: Grades) -> list[str]:
    return sorted(grades, key=lambda name: -grades[name])


def _ids(read: str) -> list[str]:
    """The read's ids, each at its first place."""
    return list(dict.fromkeys(msgspec.json.decode(read, type=list[str])))


@lru_cache(maxsize=4096)
def _grades(target: str) -> Grades:
    try:
        known = msgspec.json.decode(target, type=list[str | int] | dict[str, float])
    except msgspec.DecodeError as problem:
        raise UserError(
            f"ranking: target {target[:60]!r} is neither a JSON list of ids nor a JSON"
            f" object of grades ({problem})"
        ) from None
    grades = known if isinstance(known, dict) else dict.fromkeys(map(str, known), 1.0)
    if any(grade < 0 for grade in grades.values()):
        raise UserError(f"ranking: target {target[:60]!r} has a grade below 0; irrelevant is 0")
    return {name: grade for name, grade in grades.items() if grade > 0}


AT_K: dict[str, tuple[Callable[..., Values], str, str]] = {
    "precision": (precision, "share of the first k places that are relevant", ""),
    "recall": (recall, "share of the relevant ids among the first k places", ""),
    "mrr": (reciprocal_rank, "1 / place of the first relevant id among the first k", "Voorhees 1999, TREC-8"),
    "map": (
        average_precision,
        "mean precision at the places of relevant ids among the first k",
        "Manning, Raghavan & Schütze 2008, section 8.4",
    ),
    "ndcg": (
        ndcg,
        "discounted cumulative gain of the first k places over the best possible",
        "Järvelin & Kekäläinen 2002, ACM TOIS 20:422–446",
    ),
}
"""What can be measured to a depth, as ``<name>_at_<k>``: its function, summary and source."""
