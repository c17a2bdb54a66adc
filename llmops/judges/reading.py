"""A judge's answer to its verdicts, or to what is wrong with it."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from llmops.judges.ballot import EXPLANATION, Ballot
from llmops.schemas import NO_JSON

SHOWN = 80
"""Characters of an answer that a reason quotes."""
_FENCED = re.compile(r"\A```(?:json)?\s*\n(.*?)\n?```\Z", re.DOTALL)
_AROUND = " \t\r\n.!*_`\"'"


class Opinion(NamedTuple):
    """What was read in one answer."""

    labels: Mapping[str, str]
    """Key → verdict; {} where there is a problem."""
    explanation: str | None = None
    problem: str | None = None


def read(text: str | None, ballot: Ballot) -> Opinion:
    """Return the verdicts of an answer that is nothing but them.

    A verdict beside other text is none: what stands around it may be a quotation of the judged answer.
    A single code fence around the JSON is taken off.
    """
    stripped = (text or "").strip()
    if not stripped:
        return Opinion({}, problem="the answer is empty")
    if ballot.word:
        return _word(stripped, ballot)
    try:
        found = msgspec.json.decode(_unfenced(stripped))
    except NO_JSON:
        return Opinion({}, problem=f"the answer is no JSON: {_quoted(stripped)}")
    if not isinstance(found, dict):
        return Opinion({}, problem=f"the answer is no JSON object: {_quoted(stripped)}")
    return _object(found, ballot)


def _word(text: str, ballot: Ballot) -> Opinion:
    label = label_of(text.strip(_AROUND), ballot)
    if label is None:
        return Opinion({}, problem=f"is none of {list(ballot.values)}: {_quoted(text)}")
    return Opinion({ballot.keys[0]: label})


def _object(found: dict[str, Any], ballot: Ballot) -> Opinion:
    labels: dict[str, str] = {}
    for key in ballot.keys:
        if key not in found:
            return Opinion({}, problem=f"the answer has no {key!r}; it has {sorted(found)[:8]}")
        label = label_of(found[key], ballot)
        if label is None:
            known = list(ballot.values)
            return Opinion({}, problem=f"{key!r} is {_quoted(str(found[key]))}, which is none of {known}")
        labels[key] = label
    told = found.get(EXPLANATION)
    return Opinion(labels, told if isinstance(told, str) else None)


def label_of(given: Any, ballot: Ballot) -> str | None:
    """Return the verdict that a JSON value names, None for none; 4, 4.0 and "4" are one grade."""
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        return None
    text = f"{given:g}" if isinstance(given, float) else str(given)
    folded = text.strip().casefold()
    return next((label for label in ballot.values if label.casefold() == folded), None)


def _unfenced(text: str) -> str:
    found = _FENCED.match(text)
    return found[1] if found else text


def _quoted(text: str) -> str:
    return repr(text if len(text) <= SHOWN else text[: SHOWN - 1] + "…")
