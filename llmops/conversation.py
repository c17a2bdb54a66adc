"""A conversation that a data set holds, as messages."""

from typing import Any, Literal, get_args

from llmops.errors import UserError
from llmops.replies import Message
from llmops.tool_calls import tool_call

Role = Literal["system", "user", "assistant", "tool"]


def messages_of(turns: Any, where: str) -> list[Message]:
    """Return a list of turns as messages; a turn that is plain text is the user's.

    >>> messages_of(["hi", {"role": "assistant", "content": "Hello."}], "turns")[1].content
    'Hello.'

    Args:
        turns: texts, or objects with ``role`` and ``content`` and, as OpenAI writes them, ``tool_calls``
            and ``tool_call_id``.

    Raises:
        UserError: it is no such list (the message starts with ``where``).
    """
    if not isinstance(turns, list) or not turns:
        raise UserError(f"{where}: is {turns!r}; a conversation is a list of texts or of {{role, content}}")
    return [_message(turn, f"{where}: turn {number}") for number, turn in enumerate(turns, 1)]


def _message(turn: Any, where: str) -> Message:
    if isinstance(turn, str):
        return Message(role="user", content=turn)
    if not isinstance(turn, dict) or turn.get("role") not in get_args(Role):
        roles = list(get_args(Role))
        raise UserError(f"{where}: is {turn!r}; must be text, or {{role, content}} with a role of {roles}")
    content = turn.get("content")
    if content is not None and not isinstance(content, str):
        raise UserError(f"{where}: content: is {content!r}; must be text")
    try:
        calls = [tool_call(call) for call in turn.get("tool_calls") or []]
    except (KeyError, TypeError, AttributeError):
        raise UserError(f"{where}: tool_calls: must be a list of {{function: {{name, arguments}}}}") from None
    return Message(turn["role"], content or "", calls, turn.get("tool_call_id"))
