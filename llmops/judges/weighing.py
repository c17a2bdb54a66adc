"""A verdict's value as the mean of all verdicts by their probabilities.

Liu et al. 2023, "G-Eval", arXiv 2303.16634, section 2: Σ p(s)·s. They estimate p by drawing 20 answers;
here it is read from the log-probabilities at the verdict's place, over those verdicts that are among
``top_logprobs``, so that their sum is made 1.
"""

import math
import re
from collections.abc import Sequence

from llmops.judges.ballot import Ballot
from llmops.replies import TokenLogprob

_AROUND = " \t\r\n\"'"


def weighted(logprobs: Sequence[TokenLogprob], key: str, ballot: Ballot) -> float | None:
    """Return Σ p·value over the verdicts at their place; None where it cannot be told.

    Does not cover: a verdict of several tokens of which another begins alike, such as 1 and 10.
    """
    place = _place(logprobs, key, ballot)
    if place is None:
        return None
    token, before = place
    masses: dict[str, float] = {}
    for text, logprob in dict([(token.token, token.logprob), *token.top_logprobs]).items():
        written = text.removeprefix(before).strip(_AROUND).casefold()
        begun = [label for label in ballot.values if written and label.casefold().startswith(written)]
        if len(begun) > 1:
            return None
        if begun:
            masses[begun[0]] = masses.get(begun[0], 0.0) + math.exp(logprob)
    whole = math.fsum(masses.values())
    return math.fsum(p * ballot.values[label] for label, p in masses.items()) / whole if whole else None


def _place(logprobs: Sequence[TokenLogprob], key: str, ballot: Ballot) -> tuple[TokenLogprob, str] | None:
    """Return the token that the verdict begins in, and what of that token stands before it."""
    if not any(token.top_logprobs for token in logprobs):
        return None
    text = "".join(token.token for token in logprobs)
    pattern = r"\A\W*" if ballot.word else rf'"{re.escape(key)}"\s*:\s*"?'
    found = list(re.finditer(pattern, text))
    if not found:
        return None
    start, offset = found[-1].end(), 0
    for token in logprobs:
        if offset <= start < offset + len(token.token):
            return token, token.token[: start - offset]
        offset += len(token.token)
    return None
