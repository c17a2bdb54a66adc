"""IFEval's verifiable instructions: for each of the 25 kinds, whether an answer follows it."""

import re
from collections.abc import Callable
from typing import Literal

from llmops.errors import UserError
from llmops.metrics.counting import capital_count, sentence_count, word_count
from llmops.metrics.language import is_language
from llmops.metrics.languages import LANGUAGES
from llmops.schemas import is_json

Relation = Literal["less than", "at least"]
OPTIONS = ("My answer is yes.", "My answer is no.", "My answer is maybe.")

_HIGHLIGHT = re.compile(r"\*([^\n*]*)\*")
_STRONG = re.compile(r"\*\*([^\n*]*)\*\*")
_FENCE = re.compile(r"\A```(?:json|Json|JSON)?")


def _holds(count: int, relation: Relation, bound: int) -> bool:
    return count < bound if relation == "less than" else count >= bound


def existence(answer: str, keywords: list[str]) -> bool:
    """Every keyword stands in it, in any case, within a word too."""
    return all(word.casefold() in answer.casefold() for word in keywords)


def frequency(answer: str, keyword: str, frequency: int, relation: Relation) -> bool:
    """The keyword stands in it so often, in any case, within words too."""
    return _holds(answer.casefold().count(keyword.casefold()), relation, frequency)


def forbidden_words(answer: str, forbidden_words: list[str]) -> bool:
    """None of the words stands in it as a whole word."""
    return not any(re.search(rf"\b{re.escape(word)}\b", answer, re.IGNORECASE) for word in forbidden_words)


def letter_frequency(answer: str, letter: str, let_frequency: int, let_relation: Relation) -> bool:
    """The letter stands in it so often, in any case."""
    return _holds(answer.lower().count(letter.lower()), let_relation, let_frequency)


def response_language(answer: str, language: str) -> bool:
    """All of it is in the language, as far as ``is_language`` can tell."""
    code = language.partition("-")[0].lower()
    if code not in LANGUAGES:
        raise UserError(
            f"ifeval: language:response_language: no language {language!r}; those that can be told"
            f" are {sorted(LANGUAGES)}"
        )
    return is_language(answer, code)


def number_sentences(answer: str, relation: Relation, num_sentences: int) -> bool:
    """It has so many sentences."""
    return _holds(sentence_count(answer), relation, num_sentences)


def number_words(answer: str, relation: Relation, num_words: int) -> bool:
    """It has so many words."""
    return _holds(word_count(answer), relation, num_words)


def number_paragraphs(answer: str, num_paragraphs: int) -> bool:
    """It has exactly so many paragraphs with ``***`` between them, none of them empty."""
    paragraphs = _outer_filled(answer.split("***"))
    return len(paragraphs) == num_paragraphs and all(paragraphs)


def nth_paragraph_first_word(answer: str, first_word: str, num_paragraphs: int, nth_paragraph: int) -> bool:
    """It has exactly so many paragraphs with an empty line between, and the n-th begins with the word."""
    paragraphs = [paragraph.strip() for paragraph in answer.split("\n\n")]
    if sum(map(bool, paragraphs)) != num_paragraphs or not 1 <= nth_paragraph <= num_paragraphs:
        return False
    words = paragraphs[nth_paragraph - 1].split(maxsplit=1) or [""]
    opening = re.split(r"[.,?!'\"]", words[0].lstrip("'").lstrip('"'), maxsplit=1)[0]
    return opening.lower() == first_word.lower()


def number_placeholders(answer: str, num_placeholders: int) -> bool:
    """It has at least so many placeholders in square brackets, such as ``[name]``."""
    return sum(map(_bracketed, answer.split("\n"))) >= num_placeholders


def _bracketed(line: str) -> int:
    count, end = 0, -1
    while (start := line.find("[", end + 1)) >= 0 and (end := line.find("]", start)) >= 0:
        count += 1
    return count


def postscript(answer: str, postscript_marker: str) -> bool:
    """It has a postscript that begins with the marker, in any case."""
    spaced = {"P.P.S": r"p\.\s?p\.\s?s", "P.S.": r"p\.\s?s\."}
    return (
        re.search(spaced.get(postscript_marker, re.escape(postscript_marker.lower())), answer.lower())
        is not None
    )


def number_bullet_lists(answer: str, num_bullets: int) -> bool:
    """Exactly so many of its lines begin with ``-`` or with one ``*``."""
    lines = [line.lstrip() for line in answer.split("\n")]
    return sum(line.startswith("-") or re.match(r"\*[^*]", line) is not None for line in lines) == num_bullets


def constrained_response(answer: str) -> bool:
    """It holds one of the three answers that the instruction allows."""
    return any(option in answer for option in OPTIONS)


def number_highlighted_sections(answer: str, num_highlights: int) -> bool:
    """It has at least so many parts in ``*one*`` or ``**two**`` asterisks."""
    parts = [*_HIGHLIGHT.findall(answer), *_STRONG.findall(answer)]
    return sum(bool(part.strip()) for part in parts) >= num_highlights


def multiple_sections(answer: str, section_spliter: str, num_sections: int) -> bool:
    """It has at least so many sections, each opened by the word and its number: ``Section 1``."""
    return len(re.findall(rf"{re.escape(section_spliter)}\s?\d", answer)) >= num_sections


def json_format(answer: str) -> bool:
    """All of it is JSON, a Markdown fence around it left out."""
    return is_json(_FENCE.sub("", answer.strip()).removesuffix("```").strip())


def title(answer: str) -> bool:
    """It has a title in double angular brackets: ``<<title>>``."""
    return any(_titled(line) for line in answer.split("\n"))


def _titled(line: str) -> bool:
    start, end = line.find("<<"), line.rfind(">>")
    return 0 <= start < end and bool(line[start:end].lstrip("<").rstrip(">").strip())


def two_responses(answer: str) -> bool:
    """It is two different answers with ``******`` between them."""
    answers = _outer_filled(answer.split("******"))
    return len(answers) == 2 and all(answers) and answers[0] != answers[1]


def _outer_filled(parts: list[str]) -> list[str]:
    """The parts, stripped, without an empty one at either end."""
    stripped = [part.strip() for part in parts]
    return stripped[not stripped[0] : len(stripped) - (not stripped[-1])]


def repeat_prompt(answer: str, prompt_to_repeat: str) -> bool:
    """It begins with the request, word for word, in any case."""
    return answer.strip().lower().startswith(prompt_to_repeat.strip().lower())


def end_checker(answer: str, end_phrase: str) -> bool:
    """It ends with the phrase, in any case, and nothing after it but a quotation mark."""
    return answer.strip().strip('"').lower().endswith(end_phrase.strip().lower())


def quotation(answer: str) -> bool:
    """All of it stands in double quotation marks."""
    stripped = answer.strip()
    return len(stripped) > 1 and stripped[0] == stripped[-1] == '"'


def english_capital(answer: str) -> bool:
    """It is English in capital letters only."""
    return answer.isupper() and is_language(answer, "en")


def english_lowercase(answer: str) -> bool:
    """It is English without a capital letter."""
    return answer.islower() and is_language(answer, "en")


def capital_word_frequency(answer: str, capital_frequency: int, capital_relation: Relation) -> bool:
    """It has so many words in capitals only."""
    return _holds(capital_count(answer), capital_relation, capital_frequency)


def no_comma(answer: str) -> bool:
    """It has no comma."""
    return "," not in answer


KINDS: dict[str, Callable[..., bool]] = {
    "keywords:existence": existence,
    "keywords:frequency": frequency,
    "keywords:forbidden_words": forbidden_words,
    "keywords:letter_frequency": letter_frequency,
    "language:response_language": response_language,
    "length_constraints:number_sentences": number_sentences,
    "length_constraints:number_paragraphs": number_paragraphs,
    "length_constraints:number_words": number_words,
    "length_constraints:nth_paragraph_first_word": nth_paragraph_first_word,
    "detectable_content:number_placeholders": number_placeholders,
    "detectable_content:postscript": postscript,
    "detectable_format:number_bullet_lists": number_bullet_lists,
    "detectable_format:constrained_response": constrained_response,
    "detectable_format:number_highlighted_sections": number_highlighted_sections,
    "detectable_format:multiple_sections": multiple_sections,
    "detectable_format:json_format": json_format,
    "detectable_format:title": title,
    "combination:two_responses": two_responses,
    "combination:repeat_prompt": repeat_prompt,
    "startend:end_checker": end_checker,
    "change_case:capital_word_frequency": capital_word_frequency,
    "change_case:english_capital": english_capital,
    "change_case:english_lowercase": english_lowercase,
    "punctuation:no_comma": no_comma,
    "startend:quotation": quotation,
}
"""IFEval's instruction id → (answer, the instruction's arguments) → followed."""
