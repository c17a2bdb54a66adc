"""Metrics of the tools that an answer calls."""

from collections import Counter
from collections.abc import Sequence

from llmops.errors import UserError
from llmops.schemas import canonical
from llmops.tool_calls import arguments_of, calls_in


def tool_call_match(reads: Sequence[str], targets: Sequence[str]) -> list[float]:
    """Return 1 where the calls are the target's: the same names with equal arguments, in any order.

    1 and 1.0 are one number. Does not cover targets that allow several values for an argument.

    Raises:
        UserError: a target is no call, nor a list of calls.
    """
    return [float(_calls(read) == _wanted(target)) for read, target in zip(reads, targets, strict=True)]


def _calls(text: str) -> Counter[str]:
    return Counter(f"{call.name} {canonical(arguments_of(call))}" for call in calls_in(text) or [])


def _wanted(target: str) -> Counter[str]:
    if not (wanted := _calls(target)):
        raise UserError(
            f'tool_call_match: {target!r} calls no tool; a target is like [{{"name": …, "arguments": {{…}}}}]'
        )
    return wanted
