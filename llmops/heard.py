"""The requests of a judged run with the replies that its Judgements rest on."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, NamedTuple

import msgspec

from llmops import jsonl
from llmops.errors import UserError
from llmops.generating import Run
from llmops.judges.judge import Judge
from llmops.judging import Court, closed, sitting, subjects
from llmops.models.budget import Budget
from llmops.models.model import Model, request_key
from llmops.models.recording import Entry
from llmops.models.stack import Limits
from llmops.models.stoppable import Stop
from llmops.models.store.store import Store
from llmops.places import Places
from llmops.records import BUDGET, Judgement
from llmops.replies import Fault, Message, Reply, Request
from llmops.suites import load_suite

Answer = Callable[[Request, str], Reply]
"""Tells the reply to a request, which has this key."""
JUDGEMENTS = "judgements.jsonl"
NOT_ASKED = f"the judge: {BUDGET}: "
"""Stands in a Judgement's reason before why the budget did not reach for it."""

JURY = ""
"""In a judge's place where a jury's Judgement keeps the fault of a member that is not named."""


class Heard(NamedTuple):
    """What a run's judges were answered.

    Attributes:
        models: name in params.yaml → identity, of the models that the judges ask.
        judges: all that were asked, members of juries included.
    """

    models: dict[str, dict[str, Any]]
    judges: list[str]
    entries: list[Entry]


def heard_again(places: Places, name: str, store: Store) -> Heard:
    """Judge a suite's answers anew by what is stored, and return each request with its reply.

    Raises:
        UserError: a reply is not there: settings, prompts or data were edited since.
    """
    suite, path = load_suite(places.root, name), places.suite(name, JUDGEMENTS)
    found = Heard({}, [], [])
    if not suite.judges or not path.is_file():
        return found
    faults = _faults(jsonl.read(path, Judgement))
    entries: dict[tuple[str, bytes], Entry] = {}

    def opened(judge: Judge) -> Model:
        model = closed(places, judge)
        found.models[model.name] = model.identity
        found.judges.append(judge.name)
        return _noting(model, judge, _answering(judge, store, faults), entries)

    run = Run(store, Budget(), Limits(), Stop())  # a second look at the store would let go of its locks
    asyncio.run(sitting(Court(places, name, run, opened), suite.judges, subjects(places, name)))
    found.entries.extend(entries.values())
    return found


def _noting(
    model: Model,
    judge: Judge,
    answer: Callable[[Request, str], Reply],
    entries: dict[tuple[str, bytes], Entry],
) -> Model:
    """Return the model that notes each request with its reply, those that are alike once."""

    async def ask(request: Request) -> Reply:
        key = request_key(model, request)
        reply = answer(request, key)
        prompt = judge.prompt.name if judge.prompt else ""
        wire = model.wire(request)
        entry = Entry(key, model.name, prompt, request.example_id, request.repeat, wire, reply)
        entries.setdefault((key, msgspec.json.encode(reply)), entry)
        return reply

    return replace(model, ask=ask, stored=False) if model.stored else model


def _answering(judge: Judge, store: Store, faults: dict[Any, Reply]) -> Answer:
    """Return what tells the reply to a request: the store's, else the fault that the Judgement kept."""

    def answer(request: Request, key: str) -> Reply:
        where = request.example_id, _text(request.messages)
        faulty = (faults[of] for of in ((judge.name, *where), (JURY, *where), NOT_ASKED) if of in faults)
        reply = store.get(key) or next(faulty, None)
        if reply is None:
            raise UserError(
                f"judge {judge.name}: {request.example_id}: the response store holds no such verdict under"
                " today's settings; take back what was edited since the run, or do it anew"
            )
        return reply

    return answer


def _faults(found: Iterable[Judgement]) -> dict[Any, Reply]:
    """Return what went wrong, which no store keeps: by judge, example and messages; or why not asked."""
    faults: dict[Any, Reply] = {}
    for each in found:
        for turn in each.turns:
            if turn.reply.error is not None:
                whose = JURY if each.votes else each.judge
                faults[whose, each.example_id, _text(turn.messages)] = turn.reply
        _, not_asked, why = (each.reason or "").partition(NOT_ASKED)
        if not_asked:
            faults[NOT_ASKED] = Reply(error=Fault(BUDGET, why))
    return faults


def _text(messages: list[Message]) -> bytes:
    return msgspec.json.encode(messages)
