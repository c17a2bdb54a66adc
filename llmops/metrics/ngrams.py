"""How many n-grams two sequences share."""

from collections.abc import Hashable, Iterable, Sequence
from itertools import pairwise


def shared(ours: Sequence[str], theirs: Sequence[str], most: int) -> list[int]:
    """Return, for n = 1 … most, the n-grams that both have; see ``clipped``."""
    found: list[int] = []
    for n in range(1, most + 1):
        # Whoever shares no n-gram shares no longer one.
        found.append(clipped(ours, theirs, n) if not found or found[-1] else 0)
    return found


def clipped(ours: Sequence[str], theirs: Sequence[str], n: int) -> int:
    """Return how many n-grams both have, each counted as often as in the one with fewer.

    Args:
        ours: tokens, or a text whose characters are the tokens; ``theirs`` likewise.
    """
    a = set(grams(ours, n))
    if len(a) == len(ours) - n + 1:
        return len(a.intersection(grams(theirs, n)))
    b = set(grams(theirs, n))
    if len(b) == len(theirs) - n + 1:
        return len(a & b)
    return _hits(grams(ours, n), grams(theirs, n))


def grams(tokens: Sequence[str], n: int) -> Iterable[Hashable]:
    """Return the n-grams in order: strings of a text, tuples of tokens; one token is itself."""
    if n == 1:
        return tokens
    if isinstance(tokens, str):
        return [tokens[i : i + n] for i in range(len(tokens) - n + 1)]
    if n == 2:
        return pairwise(tokens)  # twice as fast as the general way
    return zip(*[tokens[i:] for i in range(n)], strict=False)


def totals(length: int, most: int) -> list[int]:
    """Return, for n = 1 … most, how many n-grams a sequence of that length has."""
    return [max(0, length - n + 1) for n in range(1, most + 1)]


def _hits(ours: Iterable[Hashable], theirs: Iterable[Hashable]) -> int:
    left: dict[Hashable, int] = {}
    for gram in ours:
        left[gram] = left.get(gram, 0) + 1
    hits = 0
    for gram in theirs:
        if remaining := left.get(gram, 0):
            left[gram] = remaining - 1
            hits += 1
    return hits
