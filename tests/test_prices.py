"""Prices: known ones right, unknown ones None and never 0."""

import pytest

from llmops.prices import Price, pricing
from llmops.records import Reply

OPENAI = "https://api.openai.com/v1"


def reply(given: int | None = 1000, made: int | None = 100, **more: object) -> Reply:
    return Reply(text="x", input_tokens=given, output_tokens=made, **more)  # type: ignore[arg-type]


def test_a_listed_model_is_priced_by_its_tokens() -> None:
    cost = pricing(None, "gpt-4o-mini", OPENAI)(reply())
    assert cost == pytest.approx(
        1000 * 0.15e-6 + 100 * 0.60e-6
    )  # OpenAI's list, 0.15 and 0.60 USD per million


def test_cached_input_is_cheaper() -> None:
    usage = {"prompt_tokens_details": {"cached_tokens": 800}}
    cost = pricing(None, "gpt-4o-mini", OPENAI)(reply(usage=usage))
    assert cost == pytest.approx(200 * 0.15e-6 + 800 * 0.075e-6 + 100 * 0.60e-6)


@pytest.mark.parametrize(
    ("model", "base_url", "answer"),
    [
        ("no-such-model", OPENAI, reply()),
        ("gpt-4o-mini", "http://127.0.0.1:8000/v1", reply()),
        ("gpt-4o-mini", OPENAI, reply(given=None)),
        ("demo", None, reply(latency_s=1.0)),
    ],
)
def test_what_is_not_known_is_none(model: str, base_url: str | None, answer: Reply) -> None:
    assert pricing(None, model, base_url)(answer) is None


def test_a_users_own_price_goes_before_the_table() -> None:
    price = Price(input_per_mtok_usd=1, output_per_mtok_usd=2)
    assert pricing(price, "gpt-4o-mini", OPENAI)(reply()) == pytest.approx(0.0012)
    assert pricing(Price(input_per_mtok_usd=1), "x", OPENAI)(reply()) is None


def test_a_local_model_costs_its_seconds() -> None:
    assert pricing(Price(per_hour_usd=0.36), "x", None)(reply(latency_s=10.0)) == pytest.approx(0.001)
    assert pricing(Price(per_hour_usd=0.36), "x", None)(reply()) is None
