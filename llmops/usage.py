"""Tokens as they are billed, read from the usage object that a server sent."""

from collections.abc import Mapping
from typing import Any, NamedTuple


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
    given, made = _input(usage), _first(usage, "completion_tokens", "output_tokens")
    if given is None or made is None:
        return None
    details = _within(usage, "completion_tokens_details", "output_tokens_details")
    sent = _first(usage, "total_tokens") or 0
    return Tokens(
        given,
        max(made, sent - given),
        **_cached(usage)._asdict(),
        reasoning=_first(details, "reasoning_tokens", "thinking_tokens") or 0,
        input_audio=_first(_input_details(usage), "audio_tokens") or 0,
        output_audio=_first(details, "audio_tokens") or 0,
    )


class _Cached(NamedTuple):
    cache_read: int
    cache_write: int
    cache_write_1h: int


def _cached(usage: Mapping[str, Any]) -> _Cached:
    details = _input_details(usage)
    read = _first(details, "cached_tokens") or _first(
        usage, "cache_read_input_tokens", "cached_tokens", "prompt_cache_hit_tokens"
    )
    written = _first(details, "cache_write_tokens", "cache_creation_tokens") or _first(
        usage, "cache_creation_input_tokens"
    )
    for_an_hour = _first(_within(usage, "cache_creation"), "ephemeral_1h_input_tokens")
    return _Cached(read or 0, written or 0, for_an_hour or 0)


def _input(usage: Mapping[str, Any]) -> int | None:
    given = _first(usage, "prompt_tokens", "input_tokens")
    if given is None:
        return None
    cached = _cached(usage)
    return given + cached.cache_read + cached.cache_write if _left_out(usage, given, cached) else given


def _left_out(usage: Mapping[str, Any], given: int, cached: _Cached) -> bool:
    """The cached tokens stand beside the input, not within it."""
    beside = cached.cache_read + cached.cache_write
    if beside > given:
        return True
    made, sent = _first(usage, "completion_tokens", "output_tokens"), _first(usage, "total_tokens")
    if beside and made is not None and sent is not None and sent == given + made + beside:
        return True
    anthropic = "cache_read_input_tokens" in usage or "cache_creation_input_tokens" in usage
    return anthropic and "prompt_tokens" not in usage and not _input_details(usage)


def _input_details(usage: Mapping[str, Any]) -> Mapping[str, Any]:
    return _within(usage, "prompt_tokens_details", "input_tokens_details")


def _within(usage: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    return next((usage[name] for name in names if isinstance(usage.get(name), Mapping)), {})


def _first(usage: Mapping[str, Any], *names: str) -> int | None:
    """Return the first of the fields that holds a count; some servers write 12 as 12.0."""
    for name in names:
        value = usage.get(name)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
    return None
