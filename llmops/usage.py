"""Tokens as they are billed, read from the usage object that a server sent."""

from collections.abc import Mapping
from typing import Any, NamedTuple

BEYOND = 2**53
"""No server counts as many tokens, and from here on numbers lose their last digits."""


class Tokens(NamedTuple):
    """What one answer took, in tokens; each part is contained in ``input`` or in ``output``."""

    input: int
    """All of the input, be it read from the provider's cache, written to it, or neither."""
    output: int
    """All of the output, reasoning among it."""
    cache_read: int = 0
    cache_write: int = 0
    cache_write_1h: int = 0
    """Of ``cache_write``: what is kept for an hour, which costs more."""
    reasoning: int = 0
    input_audio: int = 0
    output_audio: int = 0


def billed(usage: Mapping[str, Any] | None) -> Tokens | None:
    """Return the tokens of a usage object, None when it does not tell both input and output.

    Providers disagree in what their counts contain, and the sum they send tells them apart:

    - OpenAI's ``prompt_tokens`` contain the cached ones; Anthropic's ``input_tokens`` leave out
      ``cache_read_input_tokens`` and ``cache_creation_input_tokens``. A gateway that puts Anthropic's
      count under OpenAI's name is told by ``total_tokens``, or by more cached tokens than there are.
    - OpenAI's ``completion_tokens`` contain the reasoning; xAI's and Gemini's leave it out, so that
      ``total_tokens`` are more than input and output.
    """
    if not usage:
        return None
    given = count_of(usage, "prompt_tokens", "input_tokens")
    made = count_of(usage, "completion_tokens", "output_tokens")
    if given is None or made is None:
        return None
    sent = count_of(usage, "total_tokens") or 0
    of_input = _within(usage, "prompt_tokens_details", "input_tokens_details")
    of_output = _within(usage, "completion_tokens_details", "output_tokens_details")
    cached = _cached(usage, of_input)
    beside = cached.cache_read + cached.cache_write
    if beside > given or (beside and sent == given + made + beside) or _of_anthropic(usage, of_input):
        given += beside
    return Tokens(
        given,
        max(made, sent - given),
        **cached._asdict(),
        reasoning=count_of(of_output, "reasoning_tokens", "thinking_tokens") or 0,
        input_audio=count_of(of_input, "audio_tokens") or 0,
        output_audio=count_of(of_output, "audio_tokens") or 0,
    )


class _Cached(NamedTuple):
    cache_read: int
    cache_write: int
    cache_write_1h: int


def _cached(usage: Mapping[str, Any], of_input: Mapping[str, Any]) -> _Cached:
    read = count_of(of_input, "cached_tokens") or count_of(
        usage, "cache_read_input_tokens", "cached_tokens", "prompt_cache_hit_tokens"
    )
    written = count_of(of_input, "cache_write_tokens", "cache_creation_tokens") or count_of(
        usage, "cache_creation_input_tokens"
    )
    for_an_hour = count_of(_within(usage, "cache_creation"), "ephemeral_1h_input_tokens")
    return _Cached(read or 0, written or 0, for_an_hour or 0)


def _of_anthropic(usage: Mapping[str, Any], of_input: Mapping[str, Any]) -> bool:
    """Whether Anthropic counted, whose cached tokens stand beside the input and not within it."""
    named = "cache_read_input_tokens" in usage or "cache_creation_input_tokens" in usage
    return named and "prompt_tokens" not in usage and not of_input


def _within(usage: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    return next((usage[name] for name in names if isinstance(usage.get(name), Mapping)), {})


def count_of(usage: Mapping[str, Any], *names: str) -> int | None:
    """Return the first of the fields that holds a count, None without any; some servers write 12 as 12.0."""
    for name in names:
        value = usage.get(name)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < BEYOND:
            return value
    return None
