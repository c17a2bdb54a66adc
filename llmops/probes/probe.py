"""One question to a model, or several, that find one thing out."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from llmops.probes.finding import Finding
from llmops.probes.subject import Subject
from llmops.replies import Reply


class Probe(NamedTuple):
    """What is asked to find something out."""

    calls: int
    """Requests to the model, at most."""
    find: Callable[[Subject, Reply], Awaitable[list[Finding]]]
    """(subject, its plain answer) → findings."""
