"""Which number an answer gives."""

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import regex

from llmops.tasks.marks import decisive
from llmops.tasks.reading import Reading, quoted, unread
from llmops.unicode_forms import normal_form

MOST_DIGITS = 400
"""A longer number, or a larger power of ten, is junk rather than an answer."""

SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
KOREAN = {"십": 10, "백": 10**2, "천": 10**3, "만": 10**4, "억": 10**8, "조": 10**12}

# Possessive repeats (``++``) and atomic groups throughout: no text makes a match take more than
# linear time. The regex package, since Python's own `re` loses groups inside of these before 3.11.5.
_DECIMAL = r"(?:(?:\d{1,3}(?:,\d{3}(?!\d))++|\d++)(?:\.\d++)?+|\.\d++)"
# 만 and 조 also begin everyday words that follow a number: 만큼 (as much as), 만족, 조각 (pieces).
_UNIT = r"(?:[십백천억]|만(?![큼족점])|조(?=원|달러|\s?\d|[^가-힣]|$))"
_NUMBER = regex.compile(
    rf"""
    (?: (?<![A-Za-z\d^]) | (?<=USD) | (?<=EUR) | (?<=KRW) ) (?<!\^[{{-])
    (?: (?<![\w)\]}}%]) (?P<minus>[-−–]) )?+
    (?: [$€£₩¥]\s?+ (?P<inner>[-−])?+ )?+
    (?>
        (?: (?P<frac_whole>\d++) \s?+ )?+ \\frac\{{ (?P<top>\d++) \}}\{{ (?P<bottom>\d++) \}}
      | (?: (?P<whole>\d++) \s )? (?<!/) (?P<over>\d++) \s?+ / \s?+ (?P<under>\d++) (?!\s?/)
      | (?P<korean> {_DECIMAL}{_UNIT}++ (?: \s?{_DECIMAL}{_UNIT}++ )*+ \d*+ )
      | (?P<decimal> {_DECIMAL} )
        (?: [eE](?P<e>[-+]?\d++) | \s?+(?:[×x*]|\\times)\s?+10\^\{{?(?P<ten>-?\d++)\}}? )?+
        (?: \s? (?P<scale>(?i:{"|".join(SCALES)})) \b )?+
    )
    (?!\^)
    """,
    regex.VERBOSE,
)


def number(answer: str, labels: Sequence[str]) -> Reading:
    """Read the number that the answer marks (``#### 18``, ``정답은 18개``), or else its last one.

    The reading is exact and in one form: ``1,200.00`` reads ``1200``, ``1 1/2`` reads ``1.5``,
    ``1/3`` stays ``1/3``. Of a marked equation the number behind its last ``=`` counts. Currency
    signs, percent and units are ignored; ``2.5 million``, ``3만 5천`` and ``2 × 10^3`` are not units.
    A marked answer without a number is unread.

    Does not cover: number words (``eighteen``), powers (``2^10`` is no number here), decimal
    commas (``3,5``), Indian grouping (``12,34,567``).
    """
    text = _plain(answer)
    marks = decisive(text)
    for mark in marks:
        if found := _of_equation(mark.text):
            return _reading(found)
    if marks:
        return unread(f"no number in the marked answer {quoted(marks[0].text)}")
    last = None
    for last in _NUMBER.finditer(text):  # noqa: B007
        pass
    if last is None:
        return unread(f"no number in {quoted(answer)}" if answer.strip() else "empty answer")
    return _reading(last)


def canonical(value: Fraction) -> str:
    """Return a number in its one exact form: a decimal where it ends, else a fraction.

    >>> canonical(Fraction(1200)), canonical(Fraction(-1, 8)), canonical(Fraction(2, 6))
    ('1200', '-0.125', '1/3')
    """
    rest, places = value.denominator, 0
    for prime in (2, 5):
        power = 0
        while rest % prime == 0:
            rest, power = rest // prime, power + 1
        places = max(places, power)
    if rest != 1:
        return str(value)
    digits = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
    sign = "-" if value < 0 else ""
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else sign + digits


_TYPED = str.maketrans({"²": "^2", "³": "^3", "¹": "^1"})
_TEX = (("{,}", ","), ("\\,", ""), ("\\!", ""), ("\\$", "$"), ("\\%", "%"), ("\\dfrac", "\\frac"))


def _plain(answer: str) -> str:
    """The answer with full-width digits, ½ and LaTeX spacing written plainly."""
    text = re.sub(r"(?<=\d)(?=[¼-¾⅐-⅞])", " ", answer.translate(_TYPED))
    text = normal_form("NFKC", text).replace("⁄", "/")
    for tex, plain in _TEX:
        text = text.replace(tex, plain)
    return text


def _of_equation(text: str) -> Any:
    start = text.rfind("=") + 1
    return _NUMBER.search(text, start) or (_NUMBER.search(text) if start else None)


def _reading(found: Any) -> Reading:
    written = found.group()
    digits = written.replace(",", "")
    if digits.isdecimal() and len(digits) <= MOST_DIGITS:  # most answers: fractions take three times as long
        return Reading(str(int(digits)), None)
    powers = [int(p) for p in (found["e"], found["ten"]) if p and len(p) <= MOST_DIGITS]
    if len(written) > MOST_DIGITS or any(abs(power) > MOST_DIGITS for power in powers):
        return unread(f"{quoted(written)} is too long for a number")
    try:
        value = _value(found, powers)
    except ZeroDivisionError:
        return unread(f"{quoted(written)} divides by zero")
    return Reading(canonical(-value if found["minus"] or found["inner"] else value), None)


def _value(found: Any, powers: Sequence[int]) -> Fraction:
    if found["top"]:
        return int(found["frac_whole"] or 0) + Fraction(int(found["top"]), int(found["bottom"]))
    if found["over"]:
        return int(found["whole"] or 0) + Fraction(int(found["over"]), int(found["under"]))
    if found["korean"]:
        return _korean(found["korean"])
    value = _decimal(found["decimal"])
    if found["scale"]:
        value *= SCALES[found["scale"].lower()]
    return value * Fraction(10) ** sum(powers) if powers else value


def _decimal(digits: str) -> Fraction:
    return Fraction(digits.replace(",", ""))


def _korean(written: str) -> Fraction:
    """Add up a number such as 1억 2천만 5백: the units up to 천 multiply within each 만, 억 and 조."""
    total = block = Fraction(0)
    for digits, units in re.findall(rf"({_DECIMAL})([{''.join(KOREAN)}]*)", written):
        part = _decimal(digits)
        for unit in units:
            if KOREAN[unit] < KOREAN["만"]:
                part *= KOREAN[unit]
            else:
                total, block, part = total + (block + part) * KOREAN[unit], Fraction(0), Fraction(0)
        block += part
    return total + block
