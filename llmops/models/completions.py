"""Chat completions in the OpenAI protocol: what a body asks, and what a server's body says."""

import json
import math
import re
import zlib
from collections.abc import Mapping
from typing import Any

from llmops.errors import WorldError
from llmops.records import Fault, Reply, Request, Sampling

TRANSIENT_STATUS = frozenset({408, 409, 425, 429})
"""Statuses below 500 after which asking again may help."""

_OVERFLOW = re.compile(
    r"context[ _](length|size|window)|exceed_context|maximum context|prompt is too long|too many tokens",
    re.I,
)
_FILTER = re.compile(r"content[ _]?(filter|policy|management)|ResponsibleAIPolicyViolation", re.I)
_THOUGHT = re.compile(r"\A\s*<think>.*?(</think>|\Z)\s*", re.S)
_END_OF_THOUGHT = "</think>"


def chat_body(request: Request, sampling: Sampling, max_tokens_field: str) -> dict[str, Any]:
    """Return the body of one request.

    Temperature and top_p are always sent, since some servers fill in the model's own.
    """
    body: dict[str, Any] = {
        "messages": [{"role": m.role, "content": m.content} for m in request.messages],
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
    }
    if sampling.max_tokens is not None:
        body[max_tokens_field] = sampling.max_tokens
    if sampling.seed is not None:
        body["seed"] = request_seed(sampling.seed, request)
    if sampling.stop:
        body["stop"] = sampling.stop
    if sampling.logprobs:
        body["logprobs"] = True
    if request.tools:
        body["tools"] = request.tools
    return body


def request_seed(seed: int, request: Request) -> int:
    """Return the seed of one request, drawn from the model's seed, the messages and the repeat.

    One seed for all would draw the same rare token for every example, and every repeat alike.
    """
    spoken = "\n".join(message.content for message in request.messages)
    return (seed + zlib.crc32(f"{request.repeat}\n{spoken}".encode("utf-8", "surrogatepass"))) % 2**31


def read_completion(body: Any) -> Reply:
    """Return the Reply that a server's body holds.

    Reasoning is left out of the text, be it in a field of its own or in ``<think>`` at the start.
    Tool calls without text become their JSON, and a refusal in words is the answer.

    Raises:
        WorldError: the body is an error or no completion.
    """
    if isinstance(body, Mapping) and body.get("error"):
        raise read_error(200, body)
    try:
        choice = body["choices"][0]
        text = _text_of(choice["message"])
        reason, usage = choice.get("finish_reason"), body.get("usage") or None
        if usage is not None and not isinstance(usage, dict):
            raise TypeError("usage is no object")
        return Reply(
            text=text,
            finish_reason=None if reason is None else str(reason),
            usage=usage,
            input_tokens=_count(usage, "prompt_tokens"),
            output_tokens=_count(usage, "completion_tokens"),
            served_model=_word(body.get("model")),
            fingerprint=_word(body.get("system_fingerprint")),
            error=_fault_of(reason, text),
            confidence=_confidence(choice, text),
        )
    except (KeyError, IndexError, TypeError, AttributeError) as problem:
        what = f"{type(problem).__name__}: {problem}"
        raise WorldError(
            "bad_reply", f"the server's reply is no chat completion ({what})", transient=True
        ) from None


def read_error(status: int, body: Any) -> WorldError:
    """Return the WorldError that a server's error is, whatever shape its body has.

    Args:
        status: the HTTP status; 200 when the error came in a reply that claims success.
        body: the decoded JSON, or the text when it is none.
    """
    code, message = _told(body)
    number = code.partition(" ")[0]
    if status == 200 and number.isdigit():
        status = int(number)
    said = f"{code} {message}"
    if status != 429 and _OVERFLOW.search(said):
        return WorldError("context_overflow", message, transient=False)
    if status < 500 and _FILTER.search(said):
        return WorldError("content_filter", message, transient=False)
    if status == 429 and "insufficient_quota" in said:
        return WorldError("quota", message, transient=False)
    kind, transient = _kind_of(status)
    return WorldError(kind, f"HTTP {status}: {message}", transient=transient)


def _kind_of(status: int) -> tuple[str, bool]:
    if status == 429:
        return "rate_limited", True
    if status == 408:
        return "timeout", True
    if status in {503, 529}:
        return "overloaded", True
    if status >= 500 or status in TRANSIENT_STATUS or status < 400:
        return "server_error", True
    return {401: "key", 403: "forbidden", 404: "unknown"}.get(status, "refused"), False


def _told(body: Any) -> tuple[str, str]:
    """Return (codes, message) of ``{"error": {…}}``, ``{"error": "…"}``, ``{"detail": …}`` or text."""
    inner = body
    if isinstance(body, Mapping):
        inner = next((body[key] for key in ("error", "detail") if body.get(key)), body)
    if isinstance(inner, Mapping):
        words = [str(inner[key]) for key in ("code", "type") if inner.get(key) is not None]
        if isinstance(inner.get("innererror"), Mapping):
            words.append(str(inner["innererror"].get("code")))
        message = inner.get("message") or json.dumps(inner, ensure_ascii=False)
        return " ".join(words), _short(message)
    return "", _short(inner if isinstance(inner, str) else json.dumps(inner, ensure_ascii=False))


def _short(message: Any, limit: int = 500) -> str:
    text = " ".join(str(message).split())
    return text if len(text) <= limit else f"{text[:limit]}…"


def _text_of(message: Mapping[str, Any]) -> str | None:
    content = message.get("content")
    if isinstance(content, list):
        content = "".join(part.get("text") or "" for part in content)
    if content:
        return without_reasoning(content)
    if calls := message.get("tool_calls"):
        return json.dumps([call["function"] for call in calls], ensure_ascii=False)
    refusal = message.get("refusal")
    return refusal if refusal is not None else content


def _confidence(choice: Mapping[str, Any], text: str | None) -> float | None:
    """Return exp of the sum of the tokens' log-probabilities; None where they are not those of the text."""
    told = choice.get("logprobs")
    tokens = told.get("content") if isinstance(told, Mapping) else None
    if not tokens or choice["message"].get("content") != text:  # reasoning was cut off, or a tool called
        return None
    values = [token.get("logprob") for token in tokens if isinstance(token, Mapping)]
    logprobs = [value for value in values if isinstance(value, int | float) and value <= 0]
    return math.exp(math.fsum(logprobs)) if len(logprobs) == len(tokens) else None


def without_reasoning(text: str) -> str:
    """Return the answer without what the model thought before it.

    >>> without_reasoning("<think>17 + 25 is 42</think>\\n42")
    '42'

    A chat template may open the thought itself, so an end without a start counts too.
    """
    if _END_OF_THOUGHT in text and "<think>" not in text.partition(_END_OF_THOUGHT)[0]:
        return text.partition(_END_OF_THOUGHT)[2].lstrip()
    return _THOUGHT.sub("", text, count=1)


def _fault_of(finish_reason: Any, text: str | None) -> Fault | None:
    if finish_reason == "content_filter":
        return Fault(kind="content_filter", message="the server's content filter cut the answer")
    if text is None:
        return Fault(kind="empty", message=f"the reply holds no text (finish_reason {finish_reason!r})")
    return None


def _count(usage: Mapping[str, Any] | None, field: str) -> int | None:
    value = (usage or {}).get(field)
    return value if isinstance(value, int) else None


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) else None
