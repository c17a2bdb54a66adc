from string import Formatter

from words import WORDS


def places(text):
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_every_word_is_said_in_both_languages():
    assert [key for key, words in WORDS.items() if not all(word.strip() for word in words)] == []


def test_both_languages_name_the_same_values():
    assert [key for key, (english, korean) in WORDS.items() if places(english) != places(korean)] == []
