"""Regular expressions of the project's own, searched for within a bounded time."""

from functools import lru_cache
from typing import Any

from llmops.errors import UserError

LIMIT_S = 1.0
"""Seconds that one search may take; a pattern that needs more is a fault of the pattern."""


def found_in(pattern: str, text: str, where: str) -> bool:
    """Tell whether the pattern matches anywhere in the text.

    The syntax is Python's ``re`` with what the ``regex`` package adds, such as possessive repeats.

    Raises:
        UserError: it is no pattern, or it backtracks for more than ``LIMIT_S`` (the message starts
            with ``where``).
    """
    try:
        return _compiled(pattern, where).search(text, timeout=LIMIT_S) is not None
    except TimeoutError:
        raise UserError(
            f"{where}: {pattern!r} took more than {LIMIT_S:g} s on {len(text):,} characters;"
            " write it without a repeat inside a repeat, or with possessive ones (`++`)"
        ) from None


@lru_cache(maxsize=4096)
def _compiled(pattern: str, where: str) -> Any:
    import regex

    try:
        return regex.compile(pattern)
    except regex.error as problem:
        raise UserError(f"{where}: {pattern!r} is no regular expression ({problem}); mend it") from None
