"""Tokens that a server did not count, estimated from the text."""

import json
from typing import Any, Literal

from msgspec.structs import replace

from llmops.replies import Reply

BYTES_PER_TOKEN = 4
"""Of UTF-8: the rule of thumb for English and vocabularies of 100,000 and more. Code, other languages and
smaller vocabularies take more tokens, so such a count can be off by half."""


def counted(reply: Reply, wire: dict[str, Any]) -> Reply:
    """Return the reply with its tokens counted: by the server, else estimated and marked as such.

    The input is the messages', tools' and schema's bytes over ``BYTES_PER_TOKEN``, rounded up, so it
    leaves out what a chat template adds. The output is the number of tokens that logprobs tell, else
    the bytes of reasoning, text and calls over the same.
    """
    given = reply.input_tokens if reply.input_tokens is not None else _tokens(_asked(wire))
    made = reply.output_tokens if reply.output_tokens is not None else _made(reply)
    told = reply.input_tokens is not None and reply.output_tokens is not None
    source: Literal["server", "estimated"] = "server" if told else "estimated"
    return replace(reply, input_tokens=given, output_tokens=made, usage_source=source)


def _asked(wire: dict[str, Any]) -> str:
    said = [message.get("content") or "" for message in wire["messages"]]
    rest = [wire[key] for key in ("tools", "response_format") if wire.get(key)]
    calls = [message["tool_calls"] for message in wire["messages"] if message.get("tool_calls")]
    return "".join([*said, *(json.dumps(part, ensure_ascii=False) for part in [*rest, *calls])])


def _made(reply: Reply) -> int:
    calls = (call.name + call.arguments for call in reply.tool_calls)
    return len(reply.logprobs) or _tokens("".join([reply.reasoning or "", reply.text or "", *calls]))


def _tokens(text: str) -> int:
    return -(-len(text.encode("utf-8", "surrogatepass")) // BYTES_PER_TOKEN)
