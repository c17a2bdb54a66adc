"""Answers that call tools."""

from collections.abc import Sequence

from llmops.tasks.reading import Reading, quoted, unread
from llmops.tool_calls import calls_in, written


def tool_call(answer: str, labels: Sequence[str]) -> Reading:
    r"""Read the tools that are called, as one JSON text with sorted arguments.

    >>> tool_call('[{"name": "weather", "arguments": "{\\"city\\": \\"서울\\"}"}]', []).text
    '[{"name": "weather", "arguments": {"city": "서울"}}]'
    """
    calls = calls_in(answer)
    return Reading(written(calls), None) if calls else unread(f"calls no tool: {quoted(answer)}")
