"""What a server that speaks the OpenAI protocol is, and every probe of one."""

from llmops.errors import UserError, WorldError
from llmops.models.protocol.address import address_of
from llmops.models.specs import OpenAISpec
from llmops.probes.finding import Finding, unanswered
from llmops.probes.formats import json_object, json_schema, tools
from llmops.probes.probe import Probe
from llmops.probes.ramp import CALLS, ramp
from llmops.probes.sampled import logprobs, max_tokens, seed, stop, streaming
from llmops.probes.subject import QUESTION, Subject
from llmops.replies import Message, Reply

NO_MODEL = "no-such-model-4f1c"
CONTEXT_FIELDS = ("max_model_len", "context_length", "context_window", "max_context_length", "n_ctx")
"""What servers call the size of a model's context in their list of models."""


async def any_name(subject: Subject, plain: Reply) -> list[Finding]:
    """Find out whether a misspelt model would be told."""
    reply = await subject.ask_with(model=NO_MODEL)
    if reply.error is not None and reply.error.kind in {"settings", "unknown", "refused"}:
        return [Finding("model", True, "is known; a name that does not exist is refused")]
    if reply.error is not None:
        return [unanswered("model", reply)]
    says = f"any name is answered, so that a misspelt one is not told; it says it is {plain.served_model!r}"
    return [Finding("model", None, says)]


async def usage(subject: Subject, plain: Reply) -> list[Finding]:
    """Find out whether tokens are counted, from the plain answer."""
    if plain.usage_source == "server":
        return [Finding("usage", True, f"{plain.input_tokens} tokens in, {plain.output_tokens} out")]
    return [Finding("usage", False, "none is sent: tokens are estimates, costs too")]


async def key(subject: Subject, plain: Reply) -> list[Finding]:
    """Find out which key the plain answer took."""
    address = address_of(subject.name, subject.spec)
    says = f"that in {address.variable} is taken" if address.variable else "none is sent, and none is wanted"
    return [Finding("key", True, says)]


async def price(subject: Subject, plain: Reply) -> list[Finding]:
    """Find out whether an answer's cost is known, without asking."""
    usd = subject.cost(plain)
    if usd is not None:
        return [Finding("price", True, f"known: the plain answer cost ${usd:.3g}")]
    says = "not known, so costs are –; give the model's own `price`, of 0 for a server of one's own"
    return [Finding("price", None, says)]


async def system_message(subject: Subject, plain: Reply) -> list[Finding]:
    """Find out whether a system message is read, by the tokens that it adds to the prompt."""
    messages = [
        Message(role="system", content="You are a polite assistant of few words. " * 2),
        Message(role="user", content=QUESTION),
    ]
    reply = await subject.ask(messages=messages)
    if reply.error is not None:
        return [unanswered("system message", reply)]
    if reply.usage_source != "server" or plain.usage_source != "server":
        return [
            Finding("system message", None, "is taken; without usage it cannot be told whether it is read")
        ]
    more = (reply.input_tokens or 0) - (plain.input_tokens or 0)
    read = "is read" if more > 0 else "is taken and dropped"
    return [Finding("system message", more > 0, f"{read}: the prompt has {more} tokens more with it")]


async def context(subject: Subject, plain: Reply) -> list[Finding]:
    """Find out what the server's list of models tells of the context's size."""
    from llmops.models.protocol.chat import listed

    spec: OpenAISpec = subject.spec
    try:
        rows = await listed(subject.name, spec)
    except (UserError, WorldError) as problem:
        return [Finding("context", None, f"no list of models: {' '.join(str(problem).split())[:100]}")]
    own = [row for row in rows if row.get("id") in {spec.model, plain.served_model}] or rows[:1]
    told = {**(own[0].get("meta") or {}), **own[0]} if own else {}
    for field in CONTEXT_FIELDS:
        if isinstance(told.get(field), int):
            return [Finding("context", True, f"{told[field]:,} tokens ({field} in the list of models)")]
    return [Finding("context", None, "not told; too long a prompt may be cut without a word")]


async def concurrency(subject: Subject, plain: Reply) -> list[Finding]:
    """Find out how many requests at once are worth it."""
    return await ramp(subject)


async def rate_limit(subject: Subject, plain: Reply) -> list[Finding]:
    """Find out what the server's headers tell of its rate limits, from the answers before."""
    told = subject.rate_limits()
    if not told:
        return [Finding("rate limit", None, "no x-ratelimit headers; generate adapts to refusals alone")]
    limits = [
        f"{limit.limit:,.0f} {unit}, all of it back in {limit.reset_s:.3g} s" for unit, limit in told.items()
    ]
    return [Finding("rate limit", True, f"{'; '.join(limits)}: generate keeps to it")]


SERVED: dict[str, Probe] = {
    "key": Probe(0, key),
    "model": Probe(1, any_name),
    "usage": Probe(0, usage),
    "price": Probe(0, price),
    "context": Probe(0, context),
    "system message": Probe(1, system_message),
    "max_tokens": Probe(2, max_tokens),
    "stop": Probe(1, stop),
    "seed": Probe(4, seed),
    "logprobs": Probe(1, logprobs),
    "json schema": Probe(1, json_schema),
    "json_object": Probe(1, json_object),
    "tools": Probe(1, tools),
    "streaming": Probe(1, streaming),
    "concurrency": Probe(CALLS, concurrency),
    "rate limit": Probe(0, rate_limit),
}
"""In the order in which they are asked."""
