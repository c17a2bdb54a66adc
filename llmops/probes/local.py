"""What a model in this process can do: one that was loaded from a file, or a function."""

from llmops.probes.finding import Finding, unanswered
from llmops.probes.probe import Probe
from llmops.probes.sampled import logprobs, seed, stop
from llmops.probes.served import price, system_message
from llmops.probes.subject import Subject
from llmops.replies import Reply

CHOICES = ["yes", "no"]


async def weighing(subject: Subject, plain: Reply) -> list[Finding]:
    """Find out whether given choices can be weighed."""
    reply = await subject.ask("Is water wet?", choices=CHOICES)
    if reply.error is not None:
        return [unanswered("weighing", reply)]
    found = reply.choice_logprobs
    says = "none came" if found is None else f"log-probabilities of {CHOICES}: {found.sums}"
    return [Finding("weighing", found is not None, says)]


LLAMACPP: dict[str, Probe] = {
    "price": Probe(0, price),
    "system message": Probe(1, system_message),
    "weighing": Probe(1, weighing),
    "stop": Probe(1, stop),
    "seed": Probe(4, seed),
    "logprobs": Probe(1, logprobs),
}

TRANSFORMERS: dict[str, Probe] = {
    "price": Probe(0, price),
    "system message": Probe(1, system_message),
    "weighing": Probe(1, weighing),
}
"""Few, since every other setting would load the model again."""

PYTHON: dict[str, Probe] = {"price": Probe(0, price)}
