"""The first requests of a job, or of a judge's hearing, that no stored answer saves."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from llmops.models.earlier import Earlier, wire_bytes
from llmops.models.model import Model, request_key
from llmops.models.store import SCHEME, open_store
from llmops.questions import Asked, Question
from llmops.records import Reply, Request

BLOCK = 256
"""Keys that are looked up in the store at once."""


class Pending(NamedTuple):
    """What is to be asked through one prompt.

    Attributes:
        questions: how many there are, those that are answered included.
        requests: those to be sent, each once.
        known: what the stored ones took.
    """

    prompt: str
    questions: int
    requests: list[Request]
    known: list[Earlier]


def pending(job: Asked, model: Model, store: Path) -> Iterator[Pending]:
    """Yield, for each prompt, what a run would send; a model whose answers exist is sent nothing.

    A task's later requests hang on its replies, so only its first are told.

    Raises:
        UserError: the store cannot be read.
    """
    sent: set[str] = set()
    for prompt, questions in groupby(job.questions, key=lambda question: question.prompt.name):
        requests = [_first(job, question) for question in questions]
        if not model.stored:
            yield Pending(prompt, len(requests), [], [])
            continue
        keys = [request_key(model, request) for request in requests]
        known = _stored(store, keys)
        new = dict(zip(keys, requests, strict=True))  # identical requests are asked once
        fresh = [request for key, request in new.items() if key not in known and key not in sent]
        took = [
            Earlier(wire_bytes(model.wire(new[key])), reply) for key, reply in known.items() if key in new
        ]
        sent.update(new)
        yield Pending(prompt, len(requests), fresh, took)


def _first(job: Asked, question: Question) -> Request:
    return job.begin(question)[1]


def _stored(path: Path, keys: Sequence[str]) -> dict[str, Reply]:
    if not path.exists():
        return {}
    with closing(open_store(f"{SCHEME}{path}")) as store:
        blocks = (keys[start : start + BLOCK] for start in range(0, len(keys), BLOCK))
        return {key: reply for block in blocks for key, reply in store.get_many(block).items()}
