"""Texts that metrics are tried on: few words, so that they meet; Korean, and anything at all."""

import unicodedata

from hypothesis import strategies as st

WORDS = [
    "the",
    "The",
    "cat",
    "cats",
    "sat",
    "on",
    "mat",
    "a",
    "b",
    "2,000",
    "3.5",
    "don't",
    "U.S.",
    "(x)",
    "-",
]
KOREAN = [
    "서울은",
    "서울",
    "한국의",
    "수도",
    "수도입니다.",
    "GPT-4는",
    "환불해",
    "주세요!",
    "“네”",
    "했다",
    "하다",
]

spoken = st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join)
korean = st.lists(st.sampled_from(KOREAN + WORDS[:4]), max_size=10).map(" ".join)
lines = st.lists(st.one_of(spoken, st.just("")), max_size=5).map("\n".join)
korean_lines = st.lists(korean, max_size=4).map("\n".join)
anything = st.one_of(spoken, korean, lines, st.text(max_size=60)).map(
    lambda t: unicodedata.normalize("NFC", t)
)
"""Composed, as the metrics compose it: what stands in the text is what the reference library gets too."""

columns = st.lists(st.tuples(anything, anything), min_size=1, max_size=8)


def split(pairs):
    """Return the pairs as two columns."""
    reads, targets = zip(*pairs, strict=True)
    return list(reads), list(targets)
