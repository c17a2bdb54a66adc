"""A model's findings: a plain answer first, then every probe of its kind."""

from collections.abc import AsyncIterator
from time import monotonic

from msgspec.structs import replace

from llmops.models.specs import (
    LlamaCppSpec,
    ModelSpec,
    OpenAISpec,
    PythonSpec,
    RecordedSpec,
    TransformersSpec,
)
from llmops.numbers import dollars
from llmops.probes.finding import SETTINGS, Finding, unanswered
from llmops.probes.given import matched, one_answered
from llmops.probes.local import LLAMACPP, PYTHON, TRANSFORMERS
from llmops.probes.probe import Probe
from llmops.probes.served import SERVED
from llmops.probes.subject import MOST_TOKENS, Subject
from llmops.replies import Reply

INPUT_TOKENS = 256
"""More than any question here takes, for what it will cost at most."""

PROBES: dict[type[ModelSpec], dict[str, Probe]] = {
    OpenAISpec: SERVED,
    LlamaCppSpec: LLAMACPP,
    TransformersSpec: TRANSFORMERS,
    PythonSpec: PYTHON,
    RecordedSpec: {},
}
"""What is asked of each kind after its plain answer."""

PLAIN_CALLS: dict[type[ModelSpec], int] = {PythonSpec: 1, RecordedSpec: 0}
"""The first answer may load the model, so a second is timed, but for these."""

NOT_BATCHED = "is not tried, it may take a day: asked directly, of the same server with the same key"


def at_most(subject: Subject) -> str:
    """Return what examining the model can take, in words."""
    calls = PLAIN_CALLS.get(type(subject.spec), 2) + sum(p.calls for p in PROBES[type(subject.spec)].values())
    if not calls:
        return "its answers are looked up, nothing is asked"
    most = max(MOST_TOKENS, subject.sampling.max_tokens or 0)
    if subject.hourly:
        return f"at most {calls} calls of at most {most} tokens; priced by the hour"
    dearest = subject.cost(Reply(input_tokens=INPUT_TOKENS, output_tokens=most))
    cost = "its price is not known" if dearest is None else f"at most {dollars(dearest * calls)}"
    return f"at most {calls} calls of at most {most} tokens; {cost}"


async def findings_of(subject: Subject) -> AsyncIterator[Finding]:
    """Yield what is found, one after the other; only a model that answers is asked more."""
    plain, found = await _plain(subject)
    for finding in found:
        yield finding
    if subject.batched:
        yield Finding("batch", None, NOT_BATCHED)
    if plain is None or plain.error is not None:
        return
    for probe in PROBES[type(subject.spec)].values():
        for finding in await probe.find(subject, plain):
            yield finding


async def _plain(subject: Subject) -> tuple[Reply | None, list[Finding]]:
    """Return the answer to a plain question, and what it shows; None where there is none to be had."""
    if isinstance(subject.spec, RecordedSpec):
        return None, await matched(subject)
    if isinstance(subject.spec, PythonSpec):
        first, found = await one_answered(subject)
        return first, found if first is None or found else [_answers(first)]
    started = monotonic()
    first = await subject.ask()
    first_s = monotonic() - started  # with the loading of weights, which is no latency
    reply = first if first.error is not None else await subject.ask()
    if reply.error is not None:
        return reply, [_silent(subject, reply)]
    return reply, [_answers(reply, first_s)]


def _silent(subject: Subject, reply: Reply) -> Finding:
    finding = replace(unanswered("answers", reply), good=False)
    if isinstance(subject.spec, OpenAISpec) and reply.error and reply.error.kind != SETTINGS:
        return replace(finding, says=f"{subject.spec.base_url}: {finding.says}")
    return finding


def _answers(reply: Reply, first_s: float | None = None) -> Finding:
    seconds = reply.latency_s or 0.0
    rate = f", {reply.output_tokens / seconds:.3g} tokens/s" if reply.output_tokens and seconds else ""
    who = f", as {reply.served_model!r}" if reply.served_model else ""
    cut = "; cut by max_tokens" if reply.finish_reason == "length" else ""
    began = "" if first_s is None else f" (the first after {first_s:.3g} s)"
    return Finding("answers", True, f"{(reply.text or '')[:40]!r} in {seconds:.3g} s{began}{rate}{who}{cut}")
