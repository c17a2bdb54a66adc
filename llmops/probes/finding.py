"""What one check of a model found."""

from typing import Any

from llmops.record import Record
from llmops.replies import Reply

DECISIVE = frozenset({"bad_reply", "context_overflow", "refused", "server_error", "unknown"})
"""Faults that show that a server does not do what it was asked; others say nothing about it."""
BUSY = ("HTTP 502", "HTTP 503", "HTTP 504")
"""How errors of a server begin that lie in its load."""
SETTINGS = "settings"
"""The kind of fault that is the user's to mend."""
SHOWN = 160
"""Characters of a server's message in a finding."""


class Finding(Record):
    """One line of the doctor's report."""

    check: str
    good: bool | None
    """None where asking could not tell."""
    says: str
    """What was seen and what it means."""
    suggests: dict[str, Any] = {}
    """Settings of the model that it speaks for."""
    needed_by: list[str] = []
    """What in params.yaml rests on it."""


def unanswered(check: str, reply: Reply) -> Finding:
    """Return the finding of a reply that is an error: a refusal decides, a fault of the world does not."""
    kind, message = (reply.error.kind, reply.error.message) if reply.error else ("empty", "no answer")
    message = " ".join(message.split())
    if kind == SETTINGS:  # it says all itself, and what would be right
        return Finding(check, None, message)
    decided = kind in DECISIVE and not message.startswith(BUSY)
    return Finding(check, False if decided else None, f"{kind}: {message[:SHOWN]}")
