"""Chat completions in the OpenAI protocol: the body that a Request is."""

import zlib
from typing import Any

from llmops.replies import Message, Request, Sampling


def chat_body(request: Request, sampling: Sampling, max_tokens_field: str) -> dict[str, Any]:
    """Return the body of one request.

    Temperature and top_p are always sent, since some servers fill in the model's own. ``n`` never is:
    some servers refuse it, some answer once, so a repeat is a request of its own.
    """
    body: dict[str, Any] = {
        "messages": [spoken(message) for message in request.messages],
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
    }
    body |= _asked_for(request, sampling, max_tokens_field)
    if request.tools:
        body["tools"] = [_tool(each) for each in request.tools]
    if request.response_format is not None:
        sent = request.response_format
        schema = {"name": sent.name, "schema": sent.json_schema, "strict": sent.strict}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    return body


def _asked_for(request: Request, sampling: Sampling, max_tokens_field: str) -> dict[str, Any]:
    """Return what only stands in a body that asks for it."""
    wanted = {
        max_tokens_field: sampling.max_tokens,
        "seed": None if sampling.seed is None else request_seed(sampling.seed, request),
        "stop": sampling.stop or None,
        "logprobs": sampling.logprobs or None,
        "top_logprobs": sampling.top_logprobs,
        "stream": sampling.stream or None,
        "stream_options": {"include_usage": True} if sampling.stream else None,
    }
    return {field: value for field, value in wanted.items() if value is not None}


def _tool(told: dict[str, Any]) -> dict[str, Any]:
    """Return a tool in OpenAI's form; many data sets hold the function alone."""
    return told if "type" in told or "name" not in told else {"type": "function", "function": told}


def spoken(message: Message) -> dict[str, Any]:
    """Return one message as it stands in a body."""
    said: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        said["content"] = message.content or None
        said["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.tool_calls
        ]
    if message.tool_call_id is not None:
        said["tool_call_id"] = message.tool_call_id
    return said


def request_seed(seed: int, request: Request) -> int:
    """Return the seed of one request, drawn from the model's seed, the messages and the repeat.

    One seed for all would draw the same rare token for every example, and every repeat alike.
    """
    words = "\n".join(message.content for message in request.messages)
    return (seed + zlib.crc32(f"{request.repeat}\n{words}".encode("utf-8", "surrogatepass"))) % 2**31
