"""Answers to what judges say of them: what is stored is given again, what is missing is asked."""

import asyncio
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import NamedTuple

import msgspec

from llmops import event_loop, jsonl
from llmops.config import PARAMS, section
from llmops.errors import Stopped, UserError
from llmops.generating import GO_ON, Round, Run
from llmops.judges.asking import Cases, Hearing
from llmops.judges.bench import judging
from llmops.judges.catalog import judge_model, load_judge
from llmops.judges.judge import Case, Judge, Subject
from llmops.judges.specs import Asked as AskedSpec
from llmops.judges.specs import JurySpec
from llmops.models.budget import Budget, checked
from llmops.models.catalog import closed_model, open_model
from llmops.models.model import Model
from llmops.models.recording import Recording, replayed
from llmops.models.stack import Limits, check_budget
from llmops.models.stoppable import Stop
from llmops.models.store.store import open_store
from llmops.models.unheeded import told_unheeded
from llmops.places import Places, state_folder
from llmops.records import Example, Judgement, Response
from llmops.scoring import beside_examples
from llmops.signals import on_signals
from llmops.suites import load_suite

SPEND = "spend.jsonl"

Open = Callable[[Judge], Model]
"""Gives the model that a judge asks."""


class Params(Limits):
    """How much is asked of judges at once, how patiently, in which order, and what a run may take."""

    seed: int = 0


class Court(NamedTuple):
    """What all judges of one run share."""

    places: Places
    suite: str
    run: Run
    opened: Open


def subjects(places: Places, name: str) -> list[Subject]:
    """Return the suite's answers, each beside its example."""

    def examples() -> Iterator[Example]:
        return jsonl.read(places.suite(name, "examples.jsonl"), Example)

    responses = jsonl.read(places.suite(name, "responses.jsonl"), Response)
    return [Subject(*pair) for pair in beside_examples(responses, examples)]


def closed(places: Places, judge: Judge) -> Model:
    """Return the model that a judge asks, with its identity but without key, server or memory."""
    return closed_model(judge.spec.model, judge_model(places, judge), places)  # type: ignore[union-attr]


def opening(places: Places) -> Open:
    """Return what opens the judges' models as params.yaml describes them."""
    known: dict[str, Model] = {}

    def opened(judge: Judge) -> Model:
        name: str = judge.spec.model  # type: ignore[union-attr]
        if name not in known:  # weights that several judges ask are loaded once
            known[name] = open_model(name, judge_model(places, judge), places)
        return known[name]

    return opened


def replaying(places: Places, path: Path, *, wholly: bool) -> Open:
    """Return what has the judges' models answered by a recording.

    Args:
        wholly: all of them, so that nothing is ever asked; else those whose verdicts it holds, and the
            others are asked.
    """
    recording, live = Recording(path), opening(places)

    def opened(judge: Judge) -> Model:
        if not wholly and judge.name not in recording.header.judges:
            return live(judge)
        model = closed(places, judge)
        return replayed(model, recording) if model.stored else model

    return opened


def judgements(
    places: Places,
    name: str,
    judges: Sequence[str],
    answers: Sequence[Subject],
    opened: Open | None = None,
) -> list[Judgement]:
    """Return what these judges say of these answers of the suite.

    Args:
        opened: gives the judges' models; those of params.yaml when None.

    Raises:
        UserError: a judge that there is not, or a wrong setting.
        Stopped: the user ended the run; what was answered is stored.
    """
    try:
        return event_loop.run(_judge_all(places, name, judges, answers, opened or opening(places)))
    except asyncio.CancelledError:
        raise Stopped(f"stopped at once: what was answered is stored, and {GO_ON}") from None


async def _judge_all(
    places: Places, name: str, judges: Sequence[str], answers: Sequence[Subject], opened: Open
) -> list[Judgement]:
    settings, stop = section(places.root, "judge", Params), Stop()
    checked(settings, f"{PARAMS}: judge")
    with (
        closing(open_store(f"sqlite:///{state_folder(places.root) / places.store}")) as store,
        on_signals(stop.ask),
    ):
        run = Run(store, Budget(settings), settings, stop, settings.seed)
        return await sitting(Court(places, name, run, opened), judges, answers)


async def sitting(court: Court, judges: Sequence[str], answers: Sequence[Subject]) -> list[Judgement]:
    """Return what these judges say of these answers; none is asked before all are there and can be paid.

    Raises:
        UserError: a judge that there is not, a wrong setting, or a budget that cannot be held.
        Stopped: the user ended the run; what was answered is stored.
    """
    models = await _opened(court, judges)

    async def ask(judge: Judge, cases: Sequence[Case]) -> list[Response]:
        if not cases or judge.prompt is None:
            return []
        try:
            return await _ask(court, judge, Cases(judge.prompt, cases), models[judge.name])
        finally:
            await _leave(models, judge.name)

    try:
        given = judging(court.places, answers, load_suite(court.places.root, court.suite).baseline, ask)
        return [each for judge in judges for each in await given(judge)]
    finally:
        await _leave(models, *models)


def asked_judges(places: Places, names: Sequence[str]) -> Iterator[Judge]:
    """Yield the judges that are models, a jury's members in its place."""
    for name in names:
        judge = load_judge(places, name)
        if isinstance(judge.spec, JurySpec):
            yield from asked_judges(places, judge.spec.judges)
        elif isinstance(judge.spec, AskedSpec):
            yield judge


async def _opened(court: Court, judges: Sequence[str]) -> dict[str, Model]:
    """Return judge → the model that it asks; they are closed where one is missing or cannot be paid."""
    models: dict[str, Model] = {}
    try:
        for judge in asked_judges(court.places, judges):
            if judge.name not in models:
                models[judge.name] = court.opened(judge)
        check_budget(models.values(), court.run.limits)
    except UserError:
        await _leave(models, *models)
        raise
    return models


async def _leave(models: dict[str, Model], *judges: str) -> None:
    """Close the models of judges that ask no more, but for one that another still asks."""
    for judge in judges:
        model = models.pop(judge)
        if not any(model is other for other in models.values()):
            await model.close()


async def _ask(court: Court, judge: Judge, cases: Cases, model: Model) -> list[Response]:
    """Return what a judge's model says to each case, and write down what was spent, however it ends."""
    found: dict[int, Response] = {}

    def put(number: int, line: bytes) -> None:
        found[number] = msgspec.json.decode(line, type=Response)

    started, at = monotonic(), datetime.now(UTC).isoformat(timespec="seconds")
    asked = Round(court.run, Hearing(court.suite, judge, cases), model, put)
    try:
        await asked.ask_all()
    finally:
        _book(court, judge, asked, at, monotonic() - started)
    return [found[number] for number in range(len(cases))]


def _book(court: Court, judge: Judge, asked: Round, at: str, seconds: float) -> None:
    if asked.unheeded:
        told = told_unheeded(asked.unheeded, asked.answers)
        print(f"judge {asked.suite}: {judge.name}: {told}", file=sys.stderr)
    spent = [row for row in asked.spend(at, seconds) if row.calls or row.hits]
    rows = [msgspec.structs.replace(row, judge=judge.name) for row in spent]
    jsonl.append(state_folder(court.places.root) / SPEND, rows)
