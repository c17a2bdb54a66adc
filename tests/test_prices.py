"""Prices: dollars worked out by hand from recorded usage; what is not known is None and never 0."""

from datetime import UTC, datetime
from typing import Any

import pytest

from llmops.prices import Price, dearest, pricing, source, table_version
from llmops.replies import Reply

OPENAI = "https://api.openai.com/v1"
ANTHROPIC = "https://api.anthropic.com/v1"
DEEPSEEK = "https://api.deepseek.com/v1"
NOVEMBER = "2026-11-01T12:00:00.000+00:00"


def reply(given: int | None = 1000, made: int | None = 100, **more: Any) -> Reply:
    return Reply(text="x", input_tokens=given, output_tokens=made, **more)


def used(usage: dict[str, Any], **more: Any) -> Reply:
    return Reply(text="x", usage=usage, asked_at=NOVEMBER, **more)


CACHED = {
    "prompt_tokens": 2006,
    "completion_tokens": 300,
    "total_tokens": 2306,
    "prompt_tokens_details": {"cached_tokens": 1920},
}
REASONED = {
    "prompt_tokens": 1000,
    "completion_tokens": 300,
    "total_tokens": 1300,
    "completion_tokens_details": {"reasoning_tokens": 192},
}
WRITTEN = {
    "input_tokens": 2048,
    "cache_read_input_tokens": 1800,
    "cache_creation_input_tokens": 248,
    "cache_creation": {"ephemeral_5m_input_tokens": 148, "ephemeral_1h_input_tokens": 100},
    "output_tokens": 503,
}
LONG = {"input_tokens": 200_001, "output_tokens": 1000}


@pytest.mark.parametrize(
    ("model", "base_url", "answer", "millionths"),
    [
        ("gpt-4o-mini", OPENAI, reply(), 1000 * 0.15 + 100 * 0.60),
        ("gpt-4o-mini", OPENAI, used(CACHED), 86 * 0.15 + 1920 * 0.075 + 300 * 0.60),
        ("gpt-5", OPENAI, used(REASONED), 1000 * 1.25 + 300 * 10),
        ("gpt-5", OPENAI, used(REASONED, service_tier="default"), 1000 * 1.25 + 300 * 10),
        ("gpt-5", OPENAI, used(REASONED, service_tier="flex"), 1000 * 0.625 + 300 * 5),
        ("gpt-5", OPENAI, used(REASONED, service_tier="priority"), 1000 * 2.5 + 300 * 20),
        ("gpt-5", OPENAI, used(REASONED, service_tier="batch"), (1000 * 1.25 + 300 * 10) / 2),
        (
            "claude-haiku-4-5",
            ANTHROPIC,
            used(WRITTEN),
            2048 * 1 + 1800 * 0.1 + 148 * 1.25 + 100 * 2 + 503 * 5,
        ),
        ("claude-haiku-4-5", ANTHROPIC, used({**WRITTEN, "service_tier": "batch"}), 5128 / 2),
        ("claude-sonnet-4-5", ANTHROPIC, used({**LONG, "input_tokens": 200_000}), 200_000 * 3 + 1000 * 15),
        ("claude-sonnet-4-5", ANTHROPIC, used(LONG), 200_001 * 6 + 1000 * 22.5),
    ],
)
def test_a_listed_model_is_priced_by_what_the_raw_usage_tells(
    model: str, base_url: str, answer: Reply, millionths: float
) -> None:
    assert pricing(None, model, base_url)(answer) == pytest.approx(millionths * 1e-6)


def test_a_price_is_that_of_the_minute_when_the_answer_was_asked_for() -> None:
    cost = pricing(None, "deepseek-chat", DEEPSEEK)
    by_day = cost(reply(asked_at="2026-11-01T16:29:59+00:00"))
    by_night = cost(reply(asked_at="2026-11-01T16:30:00+00:00"))
    assert by_day == pytest.approx(1000 * 0.27e-6 + 100 * 1.10e-6)
    assert by_night == pytest.approx(by_day / 2)
    elsewhere = cost(reply(asked_at="2026-11-02T01:30:00+09:00"))  # the same moment in Seoul
    assert elsewhere == by_night


def test_a_price_can_be_asked_for_another_date() -> None:
    before, after = datetime(2026, 7, 29, tzinfo=UTC), datetime(2026, 7, 30, tzinfo=UTC)
    answer = reply(asked_at=NOVEMBER)
    dollars = [pricing(None, "gpt-5.6-luna", OPENAI, at)(answer) for at in (before, after, None)]
    assert dollars == pytest.approx([1600e-6, 320e-6, 320e-6])  # 1 and 6, then 0.2 and 1.2 USD per million


@pytest.mark.parametrize(
    ("model", "base_url", "answer"),
    [
        ("no-such-model", OPENAI, reply()),
        ("gpt-4o-mini", "http://127.0.0.1:8000/v1", reply()),
        ("gpt-4o-mini", OPENAI, reply(given=None)),
        ("demo", None, reply(latency_s=1.0)),
        ("gpt-5", OPENAI, used(REASONED, service_tier="a tier that has no price")),
        ("gpt-5", OPENAI, reply(service_tier="batch", asked_at="2026-10-13T12:00:00+00:00")),
    ],
)
def test_what_is_not_known_is_none(model: str, base_url: str | None, answer: Reply) -> None:
    assert pricing(None, model, base_url)(answer) is None


def test_a_users_own_price_goes_before_the_table() -> None:
    price = Price(input_per_mtok_usd=1, output_per_mtok_usd=2)
    assert pricing(price, "gpt-4o-mini", OPENAI)(reply()) == pytest.approx(0.0012)
    assert pricing(Price(input_per_mtok_usd=1), "x", OPENAI)(reply()) is None


def test_a_users_own_price_knows_caches_and_batches() -> None:
    price = Price(input_per_mtok_usd=1, output_per_mtok_usd=2, cached_per_mtok_usd=0.1)
    assert pricing(price, "x", None)(used(CACHED)) == pytest.approx((86 + 192 + 600) * 1e-6)
    assert pricing(price, "x", None)(used(WRITTEN)) == pytest.approx((2048 + 180 + 248 + 1006) * 1e-6)
    assert pricing(price, "x", None)(used(CACHED, service_tier="batch")) is None
    half = Price(input_per_mtok_usd=1, output_per_mtok_usd=2, cache_write_per_mtok_usd=2, batch_factor=0.5)
    assert pricing(half, "x", None)(used(WRITTEN, service_tier="batch")) == pytest.approx(
        (2048 + 1800 + 496 + 1006) / 2 * 1e-6
    )


def test_a_local_model_costs_its_seconds_and_shares_an_hour_as_its_price_says() -> None:
    assert pricing(Price(per_hour_usd=0.36), "x", None)(reply(latency_s=10.0)) == pytest.approx(0.001)
    shared = Price(per_hour_usd=0.36, shared_by=4)
    assert pricing(shared, "x", None)(reply(latency_s=10.0)) == pytest.approx(0.00025)
    assert pricing(Price(per_hour_usd=0.36), "x", None)(reply()) is None


def test_the_dearest_that_tokens_may_cost_is_that_of_writing_them_to_a_cache() -> None:
    assert dearest(pricing(None, "gpt-4o-mini", OPENAI), 1000, 100) == pytest.approx(210e-6)
    assert dearest(pricing(None, "claude-haiku-4-5", ANTHROPIC), 1000, 100) == pytest.approx(2500e-6)
    assert dearest(pricing(None, "gpt-5", OPENAI), 1000, 100, "priority") == pytest.approx(4500e-6)
    assert dearest(pricing(None, "no-such-model", OPENAI), 1000, 100) is None


def test_a_price_says_where_it_stands() -> None:
    assert source(Price(per_hour_usd=1), "x", None) == "params.yaml"
    assert source(None, "gpt-5", OPENAI) == table_version()
    assert source(None, "no-such-model", OPENAI) is None
