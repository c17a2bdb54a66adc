"""What an answer costs, from its raw usage and a dated price table; unknown is None, never 0."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import msgspec

from llmops.record import Record
from llmops.replies import Reply
from llmops.usage import Tokens, billed

Cost = Callable[[Reply], float | None]

MILLION = 1_000_000
SECONDS_PER_HOUR = 3600.0
BATCH = "batch"
"""The service tier of an answer that came in a batch."""
STANDARD_TIERS = frozenset({"auto", "default", "on_demand", "standard"})
"""What providers call the tier of their listed price."""
OWN = "params.yaml"


class Price(Record):
    """A user's own price, which goes before the table.

    Tokens are priced in US dollars per million; a model on one's own machine by its hour.
    """

    input_per_mtok_usd: float | None = None
    output_per_mtok_usd: float | None = None
    cached_per_mtok_usd: float | None = None
    """Input that the provider read from its cache; None for the price of other input."""
    cache_write_per_mtok_usd: float | None = None
    """Input that the provider wrote to its cache; None for the price of other input."""
    batch_factor: float | None = None
    """What an answer in a batch costs of these, e.g. 0.5; None where that is not known."""
    per_hour_usd: float | None = None
    """A machine's hour, paid by each request's seconds."""
    shared_by: int = 1
    """Requests that are answered in the same hour side by side, so that each pays its part of it; 1 where
    each has a machine, or the part of one that is priced, to itself."""

    def usd_per_s(self) -> float:
        """Return what one request costs while it is answered, by the hour; 0 for a price by token."""
        return (self.per_hour_usd or 0.0) / SECONDS_PER_HOUR / self.shared_by


def table_version() -> str:
    """Return the price table's name and version, which a run is tagged with."""
    from importlib.metadata import version

    return f"genai-prices {version('genai-prices')}"


def source(price: Price | None, model: str, base_url: str | None) -> str | None:
    """Return where a model's price stands: params.yaml, the table with its version, or None for nowhere."""
    if price is not None:
        return OWN
    if base_url is None or _on_this_machine(base_url):
        return None
    priced = pricing(None, model, base_url)(Reply(input_tokens=0, output_tokens=0))
    return None if priced is None else table_version()


def pricing(price: Price | None, model: str, base_url: str | None, at: datetime | None = None) -> Cost:
    """Return the function that tells what a reply cost in US dollars, None when it cannot know.

    Args:
        price: the user's own price, if params.yaml gives one.
        model: the model's name as the provider knows it.
        base_url: the provider's address, None for a model on this machine.
        at: prices of this time; None for the time when the reply was asked for, or now.
    """
    if price is not None:
        return lambda reply: _own(price, reply)
    if base_url is None or _on_this_machine(base_url):
        return lambda reply: None
    return lambda reply: _listed(reply, model, base_url, at)


def _on_this_machine(base_url: str) -> bool:
    """No table lists what serves there, so that its 0.4 s of loading can be spared."""
    host = urlsplit(base_url).hostname or ""
    return host == "localhost" or host == "::1" or host.startswith("127.")


def dearest(cost: Cost, input_tokens: int, output_tokens: int, tier: str | None = None) -> float | None:
    """Return the most that so many tokens cost: uncached, or written to a cache, which may be dearer."""
    written: dict[str, Any] = {"cache_creation_input_tokens": input_tokens, "input_tokens": 0}
    kept = {**written, "cache_creation": {"ephemeral_1h_input_tokens": input_tokens}}
    made = {"output_tokens": output_tokens}
    usages = [{"input_tokens": input_tokens, **made}, {**written, **made}, {**kept, **made}]
    counted = Reply(input_tokens=input_tokens, output_tokens=output_tokens, service_tier=tier)
    costs = [cost(msgspec.structs.replace(counted, usage=usage)) for usage in usages]
    known = [usd for usd in costs if usd is not None]
    return max(known) if len(known) == len(costs) else None


def _tokens(reply: Reply) -> Tokens | None:
    if reply.usage_source == "estimated":
        return None
    found = billed(reply.usage)
    if found and (found.input or reply.input_tokens is not None):
        return found
    counted = {"prompt_tokens": reply.input_tokens, "completion_tokens": reply.output_tokens}
    return billed({**(reply.usage or {}), **counted})


def _own(price: Price, reply: Reply) -> float | None:
    if price.per_hour_usd is not None:
        return None if reply.latency_s is None else reply.latency_s * price.usd_per_s()
    tokens = _tokens(reply)
    factor = price.batch_factor if reply.service_tier == BATCH else 1.0
    if tokens is None or factor is None:
        return None
    parts = (
        (price.input_per_mtok_usd, tokens.input - tokens.cache_read - tokens.cache_write),
        (_either(price.cached_per_mtok_usd, price.input_per_mtok_usd), tokens.cache_read),
        (_either(price.cache_write_per_mtok_usd, price.input_per_mtok_usd), tokens.cache_write),
        (price.output_per_mtok_usd, tokens.output),
    )
    known = [rate * count / MILLION for rate, count in parts if rate is not None]
    return factor * sum(known) if len(known) == len(parts) else None


def _either(rate: float | None, other: float | None) -> float | None:
    return other if rate is None else rate


def _listed(reply: Reply, model: str, base_url: str, at: datetime | None) -> float | None:
    tokens = _tokens(reply)
    if tokens is None:
        return None
    when = at or (datetime.fromisoformat(reply.asked_at) if reply.asked_at else datetime.now(UTC))
    minute = when.astimezone(UTC).replace(second=0, microsecond=0)  # prices change at most by the minute
    return _table_price(model, base_url, tokens, minute, _context(reply))


def _context(reply: Reply) -> tuple[tuple[str, str], ...]:
    """Return what the table's variants are chosen by, beside the listed price."""
    usage = reply.usage or {}
    tier = reply.service_tier or usage.get("service_tier")
    if tier == BATCH:
        return (("processing", BATCH),)
    told = {"service_tier": tier, "speed": usage.get("speed")}
    return tuple((k, v) for k, v in told.items() if isinstance(v, str) and v not in STANDARD_TIERS)


@lru_cache(maxsize=4096)  # the look-up takes 0.3 ms, and short answers repeat their counts
def _table_price(
    model: str, base_url: str, tokens: Tokens, at: datetime, context: tuple[tuple[str, str], ...]
) -> float | None:
    from genai_prices import Usage, calc_price

    usage = Usage(
        input_tokens=tokens.input,
        output_tokens=tokens.output,
        cache_read_tokens=tokens.cache_read,
        cache_write_tokens=tokens.cache_write,
        cache_write_1h_tokens=tokens.cache_write_1h,
        output_reasoning_tokens=tokens.reasoning,
        input_audio_tokens=tokens.input_audio,
        output_audio_tokens=tokens.output_audio,
    )
    try:
        found = calc_price(
            usage,
            model,
            provider_api_url=base_url,
            genai_request_timestamp=at,
            price_context=dict(context) or None,
        )
    except (LookupError, ValueError):
        return None
    price: Decimal = found.total_price
    return float(price) if _holds(found, dict(context), at) else None


def _holds(found: Any, context: Mapping[str, str], at: datetime) -> bool:
    """The table has a price for the context; where it has none it would give the listed one."""
    if not context:
        return True
    own = any(found.model is model for model in found.provider.models)
    return own and any(
        all(context.get(key) == value for key, value in variant.when.items())
        and (variant.constraint is None or variant.constraint.active(at))
        for variant in found.model.price_variants or ()
    )
