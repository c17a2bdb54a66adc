"""Chat completions in the OpenAI protocol: the Reply that a server's body is."""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from llmops.errors import WorldError
from llmops.models.protocol.estimated import counted
from llmops.models.protocol.faults import read_error
from llmops.models.protocol.logprobs import confidence, read_logprobs
from llmops.models.protocol.reasoning import parted
from llmops.models.unheeded import unheeded
from llmops.replies import Fault, Reply, Request, Sampling, ToolCall
from llmops.tool_calls import tool_call
from llmops.usage import billed, count_of

REASONING_FIELDS = ("reasoning", "reasoning_content")
"""Where servers put what the model thought, when they part it from the answer themselves."""


def read_answer(
    body: Any, request: Request, sampling: Sampling, wire: dict[str, Any], first_token_s: float | None = None
) -> Reply:
    """Return the Reply to one request: read, its tokens counted, and marked with what was not heeded.

    Args:
        body: the completion as the server sent it, or as its stream adds up to.
        wire: the body that asked.
        first_token_s: seconds to the first token, of a stream.

    Raises:
        WorldError: the body is an error or no completion.
    """
    reply = counted(read_completion(body), wire)
    reply = replace(reply, first_token_s=first_token_s)
    ignored = unheeded(reply, request, sampling)
    return replace(reply, unheeded=ignored) if ignored else reply


def read_completion(body: Any) -> Reply:
    """Return the Reply that a server's body holds.

    Reasoning is parted from the text, be it in a field of its own or in ``<think>`` at the start. A
    refusal in words is the answer.

    Raises:
        WorldError: the body is an error or no completion.
    """
    if (problem := _error_in(body)) is not None:
        raise problem
    try:
        return _read(body, body["choices"][0])
    except (KeyError, IndexError, TypeError, AttributeError, RecursionError) as problem:
        what = f"{type(problem).__name__}: {problem}"
        raise WorldError(
            "bad_reply", f"the server's reply is no chat completion ({what})", transient=True
        ) from None


def _error_in(body: Any) -> WorldError | None:
    """Return the error that a body with a status of success holds, in its place or in a choice's."""
    if not isinstance(body, Mapping):
        return None
    choices = body.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    held = next((part for part in (body, first) if isinstance(part, Mapping) and part.get("error")), None)
    return None if held is None else read_error(200, held)


def _read(body: Mapping[str, Any], choice: Mapping[str, Any]) -> Reply:
    message, reason, usage = choice["message"], choice.get("finish_reason"), body.get("usage") or None
    if usage is not None and not isinstance(usage, dict):
        raise TypeError("usage is no object")
    calls, content = _calls_of(message), _content_of(message)
    reasoning, text = _parted(message, content)
    if calls and not text:
        text = None
    logprobs, tokens = read_logprobs(choice.get("logprobs")), billed(usage)
    given = tokens.input if tokens else count_of(usage or {}, "prompt_tokens")
    made = tokens.output if tokens else count_of(usage or {}, "completion_tokens")
    return Reply(
        text=text,
        reasoning=reasoning,
        tool_calls=calls,
        finish_reason=None if reason is None else str(reason),
        usage=usage,
        input_tokens=given or None,  # a server that reads 0 tokens in a request does not count
        output_tokens=made if given or made else None,
        served_model=_word(body.get("model")),
        fingerprint=_word(body.get("system_fingerprint")),
        error=_fault_of(reason, text, calls),
        confidence=confidence(logprobs) if text is not None and content == text else None,
        logprobs=logprobs,
        service_tier=_word(body.get("service_tier")),
    )


def text_of(content: Any) -> Any:
    """Return the text of a ``content``, which may be a list of parts."""
    return "".join(part.get("text") or "" for part in content) if isinstance(content, list) else content


def _content_of(message: Mapping[str, Any]) -> str | None:
    content: str | None = text_of(message.get("content"))
    refusal = message.get("refusal")
    return content if content or refusal is None else refusal


def _parted(message: Mapping[str, Any], content: str | None) -> tuple[str | None, str | None]:
    """Return (reasoning, text), the reasoning from a field of its own before that of the tags."""
    told = next((word for field in REASONING_FIELDS if (word := _word(message.get(field)))), None)
    if content is None:
        return told, None
    tagged, answer = parted(content)
    return told or tagged, answer


def _calls_of(message: Mapping[str, Any]) -> list[ToolCall]:
    """Return the calls in ``tool_calls``, or the one in ``function_call`` of older servers."""
    old = message.get("function_call")
    return [tool_call(call) for call in message.get("tool_calls") or ([old] if old else [])]


def _fault_of(finish_reason: Any, text: str | None, calls: list[ToolCall]) -> Fault | None:
    if finish_reason == "content_filter":
        return Fault(kind="content_filter", message="the server's content filter cut the answer")
    if text is None and not calls:
        return Fault(kind="empty", message=f"the reply holds no text (finish_reason {finish_reason!r})")
    return None


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) else None
