"""What an answer costs, from its token usage and a dated price table; unknown is None, never 0."""

from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from importlib.metadata import version
from typing import Any

from llmops.records import Record, Reply

MILLION = 1_000_000
SECONDS_PER_HOUR = 3600.0


class Price(Record):
    """A user's own price, which goes before the table.

    Tokens are priced in US dollars per million; a model on one's own machine by its hour.
    """

    input_per_mtok_usd: float | None = None
    output_per_mtok_usd: float | None = None
    per_hour_usd: float | None = None


def table_version() -> str:
    """Return the price table's name and version, which a run is tagged with."""
    return f"genai-prices {version('genai-prices')}"


def pricing(price: Price | None, model: str, base_url: str | None) -> Callable[[Reply], float | None]:
    """Return the function that tells what a reply cost in US dollars, None when it cannot know.

    Args:
        price: the user's own price, if params.yaml gives one.
        model: the model's name as the provider knows it.
        base_url: the provider's address, None for a model on this machine.
    """
    if price is not None:
        return lambda reply: _own(price, reply)
    if base_url is None:
        return lambda reply: None
    return lambda reply: _listed(reply, model, base_url)


def _own(price: Price, reply: Reply) -> float | None:
    if price.per_hour_usd is not None:
        return None if reply.latency_s is None else reply.latency_s * price.per_hour_usd / SECONDS_PER_HOUR
    parts = (
        (price.input_per_mtok_usd, reply.input_tokens),
        (price.output_per_mtok_usd, reply.output_tokens),
    )
    if any(rate is None or tokens is None for rate, tokens in parts):
        return None
    return sum(rate * tokens / MILLION for rate, tokens in parts if rate is not None and tokens is not None)


def _listed(reply: Reply, model: str, base_url: str) -> float | None:
    if reply.input_tokens is None or reply.output_tokens is None:
        return None
    return _table_price(model, base_url, reply.input_tokens, reply.output_tokens, _cached(reply.usage))


def _cached(usage: dict[str, Any] | None) -> int:
    details = (usage or {}).get("prompt_tokens_details") or {}
    return int(details.get("cached_tokens") or 0)


@lru_cache(maxsize=4096)  # the look-up takes 0.3 ms, and short answers repeat their counts
def _table_price(model: str, base_url: str, given: int, made: int, cached: int) -> float | None:
    from genai_prices import Usage, calc_price

    usage = Usage(input_tokens=given, output_tokens=made, cache_read_tokens=cached)
    try:
        found: Decimal = calc_price(usage, model, provider_api_url=base_url).total_price
    except (LookupError, ValueError):
        return None
    return float(found)
