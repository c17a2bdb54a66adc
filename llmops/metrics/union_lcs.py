"""The summary-level longest common subsequence of ROUGE-Lsum, a word of the machine at a time."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

Sentence = Sequence[str]


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
        covered |= _covered(packed, [packed.tokens.get(token, 0) for token in sentence])
    has = Counter(token for sentence in ours for token in sentence)
    return sum(min((covered & packed.tokens[t]).bit_count(), n) for t, n in has.items() if t in packed.tokens)


def _pack(sentences: Sequence[Sentence]) -> Packed:
    places: dict[str, list[int]] = {}
    guards, ends, place = [], [], 0
    for sentence in sentences:
        guards.append(place)
        for at, token in enumerate(sentence, place + 1):
            places.setdefault(token, []).append(at)
        ends.append(place + len(sentence))
        place += len(sentence) + 1
    body = ((1 << place) - 1) & ~_bits(guards)
    reaches = list(_reaches(body, max(map(len, sentences), default=0)))
    return Packed({t: _bits(at) for t, at in places.items()}, body, _bits(guards), _bits(ends), reaches)


def _bits(places: Sequence[int]) -> int:
    row = bytearray(places[-1] // 8 + 1) if places else bytearray()
    for place in places:
        row[place >> 3] |= 1 << (place & 7)
    return int.from_bytes(row, "little")


def _reaches(body: int, longest: int) -> Iterator[tuple[int, int]]:
    shift, stays = 1, body >> 1
    while shift <= longest:
        yield shift, stays
        stays &= stays >> shift
        shift *= 2


def _covered(packed: Packed, matches: Sequence[int]) -> int:
    """Return the bits of every sentence's subsequence with one sentence, given where its tokens match."""
    return _walk(packed, matches, _steps(packed, matches))


def _steps(packed: Packed, matches: Sequence[int]) -> list[int]:
    """Return, for each token of the answer so far, the bits where the subsequence grows by one."""
    flat, grown = packed.body, 0
    found = []
    for match in matches:
        if match:
            both = flat & match
            flat = ((flat + both) | (flat ^ both)) & packed.body
            grown = packed.body ^ flat
        found.append(grown)
    return found


def _walk(packed: Packed, matches: Sequence[int], steps: Sequence[int]) -> int:
    """Walk every sentence back from its end: up to a match or a step; take the match, pass the step."""
    covered, here, waiting = 0, packed.ends, False
    for match, step in zip(reversed(matches), reversed(steps), strict=True):
        if match or not waiting:
            here = _highest(packed, (match | step | packed.guards) & ((here << 1) - packed.guards))
            taken = here & match
            covered |= taken
            here ^= taken | (taken >> 1)
        waiting = not match  # all stand on a step, which the tokens before change only by a match
    return covered


def _highest(packed: Packed, marks: int) -> int:
    """Return each sentence's highest mark alone; a guard bit is always marked."""
    below, spread = 0, marks
    for shift, stays in packed.reaches:
        moved = (spread >> shift) & stays
        below |= moved
        spread |= moved
    return marks ^ (marks & below)
