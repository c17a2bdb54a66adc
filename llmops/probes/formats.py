"""Whether a server holds answers to a form: JSON, a schema, a call of a tool."""

import json
from typing import Any

from llmops.probes.finding import Finding, unanswered
from llmops.probes.subject import MOST_TOKENS, Subject
from llmops.replies import Reply, ResponseFormat

TOOL = {
    "type": "function",
    "function": {
        "name": "order_status",
        "description": "Look up the status of an order.",
        "parameters": {
            "type": "object",
            "properties": {"order": {"type": "string"}},
            "required": ["order"],
            "additionalProperties": False,
        },
    },
}
YES_OR_NO = ResponseFormat(
    name="verdict",
    json_schema={
        "type": "object",
        "properties": {"verdict": {"type": "string", "enum": ["yes", "no"]}},
        "required": ["verdict"],
        "additionalProperties": False,
    },
)
JSON_QUESTION = 'Is water wet? Answer in JSON: {"verdict": "yes"} or {"verdict": "no"}.'


async def json_schema(subject: Subject, plain: Reply) -> list[Finding]:
    """Find out whether an answer is held to a JSON Schema."""
    reply = await subject.ask_with(JSON_QUESTION, roomy(subject), response_format=YES_OR_NO)
    held = "response_format" not in reply.unheeded
    return [_formatted("json schema", reply, held)]


async def json_object(subject: Subject, plain: Reply) -> list[Finding]:
    """Find out whether an answer is held to be an object of JSON."""
    extra = {**subject.spec.extra, "response_format": {"type": "json_object"}}
    reply = await subject.ask_with(JSON_QUESTION, roomy(subject), extra=extra)
    return [_formatted("json_object", reply, _is_object(reply.text or ""))]


async def tools(subject: Subject, plain: Reply) -> list[Finding]:
    """Find out whether a tool is called where one must be."""
    question = "What is the status of order A-17? Use the tool."
    extra = {**subject.spec.extra, "tool_choice": "required"}
    reply = await subject.ask_with(question, roomy(subject), tools=[TOOL], extra=extra)
    if reply.tool_calls:
        call = reply.tool_calls[0]
        return [Finding("tools", True, f"called {call.name} with {call.arguments}")]
    if reply.error is not None:
        return [unanswered("tools", reply)]
    says = f"none was called though one was required: {(reply.text or '')[:60]!r}"
    return [Finding("tools", None if reply.finish_reason == "length" else False, says)]


def roomy(subject: Subject) -> dict[str, Any]:
    """Return sampling with room for some JSON."""
    return {"max_tokens": max(MOST_TOKENS, subject.sampling.max_tokens or 0)}


def _formatted(check: str, reply: Reply, held: bool) -> Finding:
    if reply.error is not None:
        return unanswered(check, reply)
    if held:
        return Finding(check, True, f"the answer holds to it: {(reply.text or '')[:60]!r}")
    if reply.finish_reason == "length":
        return Finding(check, None, f"cannot be told: the cap cut the answer: {(reply.text or '')[:60]!r}")
    return Finding(check, False, f"is ignored: {(reply.text or '')[:60]!r}")


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
