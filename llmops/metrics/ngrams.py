"""How many n-grams two sequences share."""

from collections import Counter
from collections.abc import Sequence


def shared(ours: Sequence[str], theirs: Sequence[str], most: int) -> list[int]:
    """Return, for n = 1 … most, the n-grams that both have, each counted as often as in the one with fewer.

    Args:
        ours: tokens, or a text whose characters are the tokens; ``theirs`` likewise.
    """
    found: list[int] = []
    for n in range(1, most + 1):
        # Whoever shares no n-gram shares no longer one.
        found.append(_clipped(grams(ours, n), grams(theirs, n)) if not found or found[-1] else 0)
    return found


def grams(tokens: Sequence[str], n: int) -> list[str] | list[tuple[str, ...]]:
    """Return the n-grams in order: strings of a text, tuples of tokens."""
    if isinstance(tokens, str):
        return [tokens[i : i + n] for i in range(len(tokens) - n + 1)]
    if n == 1:
        return list(tokens)
    return list(zip(*(tokens[i:] for i in range(n)), strict=False))


def totals(length: int, most: int) -> list[int]:
    """Return, for n = 1 … most, how many n-grams a sequence of that length has."""
    return [max(0, length - n + 1) for n in range(1, most + 1)]


def _clipped(ours: Sequence[object], theirs: Sequence[object]) -> int:
    a, b = set(ours), set(theirs)
    both = a & b
    if not both or len(a) == len(ours) or len(b) == len(theirs):
        return len(both)  # nothing is repeated on one side
    first, second = Counter(ours), Counter(theirs)
    return sum(min(first[gram], second[gram]) for gram in both)
