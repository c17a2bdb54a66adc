"""How a text becomes tokens."""

import re

from llmops.unicode_forms import normal_form

_WORD = bytes(code if chr(code).isalnum() and code < 128 else ord(" ") for code in range(256))
_SYLLABLES = r"\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u3400-\u9fff\uac00-\ud7ff"
_KOREAN = re.compile(rf"[{_SYLLABLES}]|[^\W_{_SYLLABLES}]+")


def ascii_words(text: str) -> list[str]:
    """Return the runs of a–z and 0–9 in the text's lower case: rouge-score's tokeniser, without stemmer.

    Whatever else parts words and is gone: of Korean, nothing is left.

    >>> ascii_words("GPT-4는 don't")
    ['gpt', '4', 'don', 't']
    """
    return text.lower().encode("ascii", "replace").translate(_WORD).decode("ascii").split()


def syllables(text: str) -> list[str]:
    """Return every Hangul syllable as a token, and other scripts' runs of letters and digits.

    Korean glues particles and endings to its words (``서울은``), so that words seldom equal one
    another; syllables do, with no dictionary, as in KorQuAD's F1 (Lim et al. 2019, arXiv
    1909.07005). Chinese characters and kana stand alone too. The text is NFKC and case folded.
    Of ASCII text the tokens are those of ``ascii_words``.

    >>> syllables("GPT-4는 빠르다")
    ['gpt', '4', '는', '빠', '르', '다']
    """
    return _KOREAN.findall(normal_form("NFKC", text).casefold())
