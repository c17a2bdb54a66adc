"""Which language a text is in: its script, then the small words and letters of one language."""

import re
from collections import Counter
from functools import lru_cache

from llmops.metrics.languages import LANGUAGES, SCRIPTS, Language

LOOKED_AT = 20_000
"""Characters of a text that tell its language."""


_DENSE = {"Hangul": 2, "Kana": 2, "Han": 2}
"""How many letters of an alphabet one of theirs stands for."""
_LETTERS = {script: re.compile(f"[{ranges}]") for script, ranges in SCRIPTS.items()}
_EDGES = " \t\n.,;:!?\"'“”‘’«»()[]{}<>*_#`-–—…।،؛؟¿¡"


def is_language(text: str, code: str) -> bool:
    """Tell whether a text may be in a language, by its ISO 639-1 code, a key of ``LANGUAGES``.

    The script that most of the letters belong to decides; within a script that several languages
    share, the most small words and peculiar letters do. What cannot be told (no letters, none of
    the words) counts as the language. Does not cover: a text of two languages; languages outside
    ``LANGUAGES``, which are taken for the nearest one of their script (Catalan for Spanish).
    """
    script, scores = _scores(text[:LOOKED_AT])
    if script is None:
        return True
    if script != LANGUAGES[code].script:
        return False
    return scores[code] >= max(scores.values())


@lru_cache(maxsize=64)
def _scores(text: str) -> tuple[str | None, dict[str, float]]:
    """Return the script of most letters, None without letters, and each of its languages' evidence."""
    counted = {name: len(letter.findall(text)) * _DENSE.get(name, 1) for name, letter in _LETTERS.items()}
    if counted["Kana"] * 20 > counted["Han"]:  # Japanese writes its nouns in Han
        counted["Kana"] += counted.pop("Han")
    script = max(counted, key=lambda name: counted[name])
    if not counted[script]:
        return None, {}
    words = Counter(word.strip(_EDGES) for word in text.lower().replace("’", "'").split())
    letters = Counter(text.lower())
    return script, {
        code: _evidence(known, words, letters) for code, known in LANGUAGES.items() if known.script == script
    }


def _evidence(known: Language, words: Counter[str], letters: Counter[str]) -> float:
    return sum(words[word] for word in known.words) + sum(letters[letter] for letter in known.letters) / 2
