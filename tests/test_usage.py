"""Usage objects as providers send them, read as tokens that are billed."""

from typing import Any

import pytest

from llmops.usage import Tokens, billed

RECORDED: dict[str, tuple[dict[str, Any], Tokens]] = {
    "OpenAI counts cached and reasoning tokens within": (
        {
            "prompt_tokens": 2006,
            "completion_tokens": 300,
            "total_tokens": 2306,
            "prompt_tokens_details": {"cached_tokens": 1920, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 192, "audio_tokens": 0},
        },
        Tokens(2006, 300, cache_read=1920, reasoning=192),
    ),
    "Anthropic counts cached tokens beside": (
        {
            "input_tokens": 50,
            "cache_read_input_tokens": 100_000,
            "cache_creation_input_tokens": 248,
            "cache_creation": {"ephemeral_5m_input_tokens": 148, "ephemeral_1h_input_tokens": 100},
            "output_tokens": 503,
        },
        Tokens(100_298, 503, cache_read=100_000, cache_write=248, cache_write_1h=100),
    ),
    "a gateway with Anthropic's counts under OpenAI's names": (
        {
            "prompt_tokens": 2048,
            "completion_tokens": 503,
            "total_tokens": 4599,
            "cache_read_input_tokens": 1800,
            "cache_creation_input_tokens": 248,
        },
        Tokens(4096, 503, cache_read=1800, cache_write=248),
    ),
    "a gateway that sends less input than what was cached": (
        {"prompt_tokens": 50, "completion_tokens": 503, "cache_read_input_tokens": 1800},
        Tokens(1850, 503, cache_read=1800),
    ),
    "LiteLLM adds the cached tokens up and tells them twice": (
        {
            "prompt_tokens": 4096,
            "completion_tokens": 503,
            "total_tokens": 4599,
            "prompt_tokens_details": {"cached_tokens": 1800},
            "cache_read_input_tokens": 1800,
            "cache_creation_input_tokens": 248,
        },
        Tokens(4096, 503, cache_read=1800, cache_write=248),
    ),
    "Databricks counts cached tokens within": (
        {"prompt_tokens": 4096, "completion_tokens": 503, "cache_read_input_tokens": 1800},
        Tokens(4096, 503, cache_read=1800),
    ),
    "xAI counts reasoning beside": (
        {
            "prompt_tokens": 32,
            "completion_tokens": 9,
            "total_tokens": 135,
            "prompt_tokens_details": {"text_tokens": 32, "cached_tokens": 6},
            "completion_tokens_details": {"reasoning_tokens": 94},
        },
        Tokens(32, 103, cache_read=6, reasoning=94),
    ),
    "Gemini counts its thoughts in the total alone": (
        {"prompt_tokens": 8, "completion_tokens": 5, "total_tokens": 120},
        Tokens(8, 112),
    ),
    "DeepSeek tells hits and misses": (
        {
            "prompt_tokens": 1000,
            "completion_tokens": 50,
            "total_tokens": 1050,
            "prompt_cache_hit_tokens": 640,
            "prompt_cache_miss_tokens": 360,
        },
        Tokens(1000, 50, cache_read=640),
    ),
    "a local server tells the two counts": (
        {"prompt_tokens": 12.0, "completion_tokens": 3, "prompt_tokens_details": None},
        Tokens(12, 3),
    ),
}


@pytest.mark.parametrize("name", RECORDED)
def test_tokens_are_counted_once_however_a_provider_counts_them(name: str) -> None:
    usage, tokens = RECORDED[name]
    assert billed(usage) == tokens


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        {"prompt_tokens": 12},
        {"completion_tokens": 3},
        {"prompt_tokens": True, "completion_tokens": 3},
        {"prompt_tokens": float("inf"), "completion_tokens": 3},
        {"prompt_tokens": -1, "completion_tokens": 3},
        {"prompt_tokens": 10**400, "completion_tokens": 3},
        {"prompt_tokens": "12", "completion_tokens": 3},
    ],
)
def test_a_usage_object_that_does_not_tell_both_counts_tells_nothing(usage: dict[str, Any] | None) -> None:
    assert billed(usage) is None


@pytest.mark.parametrize(
    ("provider", "flavour", "name"),
    [
        ("openai", "chat", "OpenAI counts cached and reasoning tokens within"),
        ("anthropic", "default", "Anthropic counts cached tokens beside"),
        ("databricks", "chat", "Databricks counts cached tokens within"),
        ("x-ai", "chat", "xAI counts reasoning beside"),
    ],
)
def test_the_price_tables_own_reading_agrees(provider: str, flavour: str, name: str) -> None:
    from genai_prices.data_snapshot import get_snapshot

    usage, tokens = RECORDED[name]
    _, theirs = (
        get_snapshot().find_provider(None, provider, None).extract_usage({"usage": usage}, api_flavor=flavour)
    )
    ours = (tokens.input, tokens.output, tokens.cache_read, tokens.cache_write, tokens.cache_write_1h)
    fields = ("input", "output", "cache_read", "cache_write", "cache_write_1h")
    assert tuple(theirs.reported_value(f"{field}_tokens") for field in fields) == ours
