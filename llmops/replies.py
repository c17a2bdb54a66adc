"""The records of one exchange with a model: a Request and the Reply to it."""

from typing import Any, Literal

from llmops.record import Record


class ToolCall(Record):
    """One call of a tool, as the model made it."""

    id: str
    """What the tool's message answers to; empty where the server gave none."""
    name: str
    arguments: str
    """JSON as the model wrote it, so it may be none."""


class Message(Record, omit_defaults=True):
    """One message of a conversation."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    tool_calls: list[ToolCall] = []
    """Those of an assistant's message."""
    tool_call_id: str | None = None
    """The call that a tool's message answers."""


class Sampling(Record):
    """How an answer is drawn. Each field can change the answer, so each is in the store's key."""

    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int | None = None
    seed: int | None = None
    stop: list[str] = []
    logprobs: bool = False
    """Ask for the tokens' log-probabilities, which give the answer's ``confidence``."""
    top_logprobs: int | None = None
    """How many of the likeliest tokens to tell at each place, besides the one that was drawn."""
    stream: bool = False
    """Have the answer sent as it is made, which tells the time to its first token."""


class ResponseFormat(Record):
    """What an answer must be: JSON that holds to a schema."""

    name: str
    json_schema: dict[str, Any]
    strict: bool = False
    """Every object requires all of its properties and takes no other, so that servers such as OpenAI can
    hold the answer to it."""


class Request(Record):
    """What is asked of a model: messages for a model, id and inputs for an application."""

    example_id: str
    inputs: dict[str, Any]
    messages: list[Message]
    tools: list[dict[str, Any]] = []
    response_format: ResponseFormat | None = None
    choices: list[str] = []
    """Texts to be weighed as answers; where there are any, the model writes none of its own."""
    repeat: int = 0


class Fault(Record):
    """Why there is no answer."""

    kind: str
    """A word to count by: ``timeout``, ``connection``, ``refused``, ``context_overflow``, …"""
    message: str


class TokenLogprob(Record, array_like=True):
    """One token of an answer: ``["Seoul", -0.02, [["Seoul", -0.02], ["Busan", -4.1]]]``."""

    token: str
    logprob: float
    """Natural logarithm of its probability."""
    top_logprobs: list[tuple[str, float]] = []
    """The likeliest tokens at its place, as the server orders them; [] when it was not asked for them."""


class ChoiceLogprobs(Record):
    """How likely each of a Request's choices is, in their order, without the end of the answer."""

    sums: list[float]
    """Natural logarithm of the choice's probability: the sum of its tokens'."""
    tokens: list[int]
    bytes: list[int]
    """Of the choice's text in UTF-8."""


class Reply(Record, omit_defaults=True):
    """What came back for one Request."""

    text: str | None = None
    """The answer, without reasoning; None where there is none, as beside tool calls."""
    reasoning: str | None = None
    """What the model thought before it answered, from a field of its own or ``<think>`` tags."""
    tool_calls: list[ToolCall] = []
    finish_reason: str | None = None
    usage: dict[str, Any] | None = None
    """The server's own usage object, as it was sent."""
    usage_source: Literal["server", "estimated"] | None = None
    """Whether all counts of tokens are the server's, or some an estimate, because it sent none; None
    where there is no count, and in replies that were stored before it was told."""
    input_tokens: int | None = None
    output_tokens: int | None = None
    """Reasoning included."""
    served_model: str | None = None
    fingerprint: str | None = None
    latency_s: float | None = None
    first_token_s: float | None = None
    """Seconds from the request to the first token, reasoning included; None unless it was streamed."""
    cost_usd: float | None = None
    """What the answer cost when it was asked; None when no price is known."""
    asked_at: str | None = None
    """ISO 8601, UTC."""
    error: Fault | None = None
    confidence: float | None = None
    """Probability that the model gave the answer as a whole: exp of the sum of its tokens'
    log-probabilities. None where it was not asked for them or the server sent none. Of weighed
    choices: the share of the likeliest in the probabilities of all."""
    choice_logprobs: ChoiceLogprobs | None = None
    """Where the Request had choices."""
    service_tier: str | None = None
    """The tier that the server says it answered at, which changes the price: ``default``, ``flex``,
    ``priority``; ``batch`` for an answer that came in a batch."""
    logprobs: list[TokenLogprob] = []
    """The answer's tokens, reasoning included where the server counts it among them."""
    unheeded: list[str] = []
    """What was asked and not done: ``max_tokens``, ``response_format``, ``logprobs``, ``stream``."""


class Turn(Record):
    """One Request with its Reply."""

    messages: list[Message]
    reply: Reply
