"""The tokens' log-probabilities, as a server tells them."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from llmops.replies import TokenLogprob

UNKNOWN = -9999.0
"""What servers send, or an infinity, in the place of a log-probability that they do not know."""


def read_logprobs(told: Any) -> list[TokenLogprob]:
    """Return the tokens of a choice's ``logprobs``; [] where any of them has none that is known.

    Tokens that were not chosen are left out where theirs is not.

    Args:
        told: ``{"content": [{"token": …, "logprob": …, "top_logprobs": […]}, …]}``, or what a server
            sends in its place.
    """
    tokens = told.get("content") if isinstance(told, Mapping) else None
    if not isinstance(tokens, list):
        return []
    read = [_token(token) for token in tokens]
    known = [token for token in read if token is not None]
    return known if len(known) == len(read) else []


def confidence(logprobs: Sequence[TokenLogprob]) -> float | None:
    """Return the probability of all tokens together, exp Σ logprob; None without any."""
    return math.exp(math.fsum(token.logprob for token in logprobs)) if logprobs else None


def _token(told: Any) -> TokenLogprob | None:
    pair = _pair(told)
    if pair is None:
        return None
    others = [_pair(other) for other in told.get("top_logprobs") or []]
    return TokenLogprob(*pair, [other for other in others if other is not None])


def _pair(told: Any) -> tuple[str, float] | None:
    """Return (token, logprob); None where the number is no log-probability, or says that it is not known."""
    if not isinstance(told, Mapping):
        return None
    token, logprob = told.get("token"), told.get("logprob")
    if not isinstance(logprob, int | float) or isinstance(logprob, bool) or not UNKNOWN < logprob <= 0:
        return None
    return (token if isinstance(token, str) else ""), float(logprob)
