"""Calls of tools, compared to the target's."""

import pytest

from llmops.errors import UserError
from llmops.metrics.tool_use import tool_call_match

WEATHER = '{"name": "weather", "arguments": {"city": "서울", "days": 2}}'
TIME = '{"name": "time", "arguments": {}}'


@pytest.mark.parametrize(
    ("read", "target", "value"),
    [
        (WEATHER, WEATHER, 1.0),
        (f"[{WEATHER}]", WEATHER, 1.0),
        ('{"arguments": {"days": 2.0, "city": "서울"}, "name": "weather"}', WEATHER, 1.0),
        ('{"name": "weather", "arguments": "{\\"city\\": \\"서울\\", \\"days\\": 2}"}', WEATHER, 1.0),
        (f"[{TIME}, {WEATHER}]", f"[{WEATHER}, {TIME}]", 1.0),
        (f"[{WEATHER}, {WEATHER}]", WEATHER, 0.0),
        (WEATHER.replace("서울", "부산"), WEATHER, 0.0),
        (WEATHER.replace("weather", "forecast"), WEATHER, 0.0),
        (WEATHER.replace("2", '"2"'), WEATHER, 0.0),
        ("It is sunny.", WEATHER, 0.0),
    ],
)
def test_calls_match_by_names_and_arguments_in_any_order(read, target, value):
    assert tool_call_match([read], [target]) == [value]


@pytest.mark.parametrize("target", ["", "weather", "[]", "3"])
def test_a_target_that_calls_nothing_is_refused(target):
    with pytest.raises(UserError, match=r"tool_call_match: .* calls no tool"):
        tool_call_match([WEATHER], [target])
