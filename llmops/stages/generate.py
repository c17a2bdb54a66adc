"""results/<suite>/examples.jsonl, prompts/, models/ -> responses.jsonl: money is spent here."""

import asyncio
import gc
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import monotonic

from llmops import event_loop, jsonl
from llmops.config import PARAMS, section
from llmops.drawing import Drawing, Watch, ask_blocks
from llmops.errors import Stopped, UserError
from llmops.generating import GO_ON, Round, Run, one_user_error, side_by_side
from llmops.models.budget import Budget, checked
from llmops.models.catalog import closed_model, open_model
from llmops.models.chosen import chosen_models
from llmops.models.model import Model
from llmops.models.recording import Recording, replayed
from llmops.models.specs import ModelSpec
from llmops.models.stack import Limits, check_budget
from llmops.models.stoppable import Stop
from llmops.models.store.store import open_store
from llmops.models.unheeded import told_unheeded
from llmops.places import Places, state_folder
from llmops.questions import Job, load_job
from llmops.records import Response
from llmops.signals import on_signals
from llmops.spool import Spool, spooled
from llmops.suites import load_suite

SPEND = "spend.jsonl"


class Params(Limits):
    """How much is asked at once, how patiently, in which order, and what a run may take in all."""

    seed: int = 0
    """Order in which examples are asked, so that a run cut short is a fair sample."""


def main(
    places: Places,
    name: str,
    only: list[str] | None = None,
    limit: int | None = None,
    recording: Path | None = None,
    watch: Watch | None = None,
) -> None:
    """Ask every model of the suite every example through every prompt.

    Args:
        only: the models to ask; all of the suite's when None.
        limit: ask a random sample of this many examples; all when None.
        recording: take all answers from this file, or from the suite's own; no model is opened.
        watch: ask in a random order, block by block, and each run only as long as it is undecided.

    Raises:
        UserError: a setting that cannot be; or a watched model that is asked in batches.
        Stopped: the user ended the run; what was answered is stored.
    """
    suite = load_suite(places.root, name)
    settings = section(places.root, "generate", Params)
    checked(settings, f"{PARAMS}: generate")
    job = load_job(places, name, suite, limit, settings.seed)
    recording = recording or (places.root / suite.recording if suite.recording else None)
    specs = chosen_models(places, suite, only)
    job.hold(specs)
    opened = partial(_models, places, specs, recording)
    with spooled(places.suite(name, "responses.jsonl"), len(specs) * len(job.questions)) as spool:
        try:
            event_loop.run(_ask_models(places, job, opened, settings, spool, watch))
        except asyncio.CancelledError:
            raise Stopped(f"stopped at once: what was answered is stored, and {GO_ON}") from None


def _models(places: Places, specs: dict[str, ModelSpec], recording: Path | None) -> list[Model]:
    if recording is None:
        return [open_model(name, spec, places) for name, spec in specs.items()]
    replies = Recording(recording)
    closed = [closed_model(name, spec, places) for name, spec in specs.items()]
    return [replayed(model, replies) if model.stored else model for model in closed]


async def _ask_models(
    places: Places,
    job: Job,
    opened: Callable[[], list[Model]],
    settings: Params,
    spool: Spool,
    watch: Watch | None,
) -> None:
    """Put every model's responses, numbered in the order of the suite's models, prompts and examples."""
    models, stop = await _affordable(opened(), settings), Stop()
    with (
        closing(open_store(f"sqlite:///{state_folder(places.root) / places.store}")) as store,
        on_signals(stop.ask),
        _imports_frozen(),
    ):
        run = Run(store, Budget(settings), settings, stop, settings.seed)
        if watch is not None:
            await _ask_until_decided(places, run, job, models, spool, watch)
            return

        async def ask_in_turn(numbers: Sequence[int]) -> None:
            for number in numbers:
                asked = Round(run, job, models[number], spool.after(number * len(job.questions)))
                try:
                    await _ask_model(places, asked)
                finally:
                    await models[number].close()

        with one_user_error():
            async with asyncio.TaskGroup() as asking:
                for numbers in side_by_side(models):
                    asking.create_task(ask_in_turn(numbers))


@contextmanager
def _imports_frozen() -> Iterator[None]:
    """Spare the garbage collector what is imported, which it would look through over and over."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


async def _affordable(models: list[Model], settings: Params) -> list[Model]:
    """Return the models; they are closed where a budget could not be held."""
    try:
        check_budget(models, settings)
    except UserError:
        for model in models:
            await model.close()
        raise
    return models


async def _ask_until_decided(
    places: Places, run: Run, job: Job, models: Sequence[Model], spool: Spool, watch: Watch
) -> None:
    """Ask all models block by block, each run until the watch has decided it."""
    drawing, new = Drawing(job.questions, run.seed), list[Response]()
    every = len(job.questions)
    puts = [drawing.noting(spool.after(number * every), new.append) for number in range(len(models))]
    rounds = [Round(run, job, model, put) for model, put in zip(models, puts, strict=True)]
    try:
        _refuse_batches(models)
        with ExitStack() as spending:
            for asked in rounds:
                spending.enter_context(_spending(places, asked))
            await ask_blocks(rounds, drawing, new, watch)
    finally:
        for model in models:
            await model.close()


def _refuse_batches(models: Sequence[Model]) -> None:
    if batched := next((model.name for model in models if model.batches is not None), None):
        raise UserError(
            f"{PARAMS}: models: {batched}: mode: batch waits for hours after each block;"
            " run without --sequential"
        )


@contextmanager
def _spending(places: Places, asked: Round) -> Iterator[None]:
    """Write down what was spent when the block ends, however it ends."""
    started, at = monotonic(), datetime.now(UTC).isoformat(timespec="seconds")
    try:
        yield
    finally:
        if asked.unheeded:
            told = told_unheeded(asked.unheeded, asked.answers)
            print(f"generate {asked.suite}: {asked.model}: {told}", file=sys.stderr)
        rows = asked.spend(at, monotonic() - started)
        jsonl.append(state_folder(places.root) / SPEND, rows)


async def _ask_model(places: Places, asked: Round) -> None:
    with _spending(places, asked):
        await asked.ask_all()
