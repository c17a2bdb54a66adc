"""The summary-level longest common subsequence of ROUGE-Lsum, a word of the machine at a time."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

Sentence = Sequence[str]

SINGLE_STEPS = 4
"""Bits that are walked one by one before all distances are tried at once: most ways are short."""


class Packed(NamedTuple):
    """Sentences as one row of bits: a guard bit before each sentence, then a bit for each token."""

    tokens: dict[str, int]
    """Token → the bits where it stands."""
    body: int
    """The bits of all tokens."""
    guards: int
    ends: int
    """The last bit of each sentence; an empty one's is its guard."""
    reaches: list[tuple[int, int]]
    """(shift, where a bit shifted down by it may land in its own sentence), for 1, 2, 4, …"""


def union_hits(theirs: Sequence[Sentence], ours: Sequence[Sentence]) -> int:
    """Return how many tokens of the target's sentences the answer's sentences cover, each at most once.

    A target's sentence is covered where any of the answer's sentences has a longest common
    subsequence with it (Lin 2004, W04-1013, section 3.2); a token counts as often as the answer
    has it. Of several subsequences as long, the one that rouge-score 0.1.2 takes.

    All of the target's sentences are compared at once, bit-parallel (Hyyrö 2004, "Bit-parallel
    LCS-length computation revisited"): time is tokens of the answer × tokens of the target / 64,
    memory is that of the answer's longest sentence.
    """
    packed = _pack(theirs)
    covered = 0
    for sentence in ours:
        matches = [packed.tokens.get(token, 0) for token in sentence]
        if any(matches):
            covered |= _walk(packed, matches, _steps(packed, matches))
    counts = {token: (covered & bits).bit_count() for token, bits in packed.tokens.items()} if covered else {}
    repeated = any(count > 1 for count in counts.values())
    has = Counter(token for sentence in ours for token in sentence) if repeated else {}
    return sum(min(count, has.get(token, 1)) for token, count in counts.items())


def _pack(sentences: Sequence[Sentence]) -> Packed:
    tokens: dict[str, int] = {}
    guards, ends, bit = 0, 0, 1
    for sentence in sentences:
        guards |= bit
        for token in sentence:
            bit <<= 1
            tokens[token] = tokens.get(token, 0) | bit
        ends |= bit
        bit <<= 1
    body = (bit - 1) ^ guards
    return Packed(tokens, body, guards, ends, list(_reaches(body, max(map(len, sentences), default=0))))


def _reaches(body: int, longest: int) -> Iterator[tuple[int, int]]:
    shift, stays = 1, body >> 1
    while shift <= longest:
        yield shift, stays
        stays &= stays >> shift
        shift *= 2


def _steps(packed: Packed, matches: Sequence[int]) -> list[int]:
    """Return, for each token of the answer so far, the bits where the subsequence grows by one."""
    body = flat = packed.body
    found, grown = [], 0
    for match in matches:
        if match:
            both = flat & match
            flat = ((flat + both) | (flat ^ both)) & body
            grown = body ^ flat
        found.append(grown)
    return found


def _walk(packed: Packed, matches: Sequence[int], steps: Sequence[int]) -> int:
    """Walk every sentence back from its end: up to a match or a step; take the match, pass the step."""
    guards = packed.guards
    covered, here, waiting = 0, packed.ends, False
    for match, step in zip(reversed(matches), reversed(steps), strict=True):
        if match or not waiting:
            stops = match | step | guards
            if moving := here & ~stops:
                here = _landed(packed, here, moving, stops)
            if taken := here & match:
                covered |= taken
                here ^= taken | (taken >> 1)
        waiting = not match  # all stand on a step, which the tokens before change only by a match
    return covered


def _landed(packed: Packed, here: int, moving: int, stops: int) -> int:
    """Return every sentence's highest stop at or below where it stands; its guard is a stop.

    Args:
        moving: those that stand on no stop.
    """
    for _ in range(SINGLE_STEPS):
        moved = moving >> 1
        here ^= moving | moved
        moving = moved & ~stops
        if not moving:
            return here
    return _highest(packed, stops & ((here << 1) - packed.guards))


def _highest(packed: Packed, marks: int) -> int:
    """Return each sentence's highest mark alone."""
    below, spread = 0, marks
    for shift, stays in packed.reaches:
        moved = (spread >> shift) & stays
        below |= moved
        spread |= moved
    return marks ^ (marks & below)
