"""results/<suite>/examples.jsonl, prompts/, models/ -> responses.jsonl: money is spent here."""

import asyncio
import random
from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from time import monotonic

from llmops import jsonl
from llmops.config import PARAMS, section
from llmops.errors import UserError
from llmops.models.budget import Budget, checked
from llmops.models.catalog import open_model
from llmops.models.chosen import chosen_models
from llmops.models.meter import Meter
from llmops.models.model import Ask, Model
from llmops.models.specs import ModelSpec
from llmops.models.stack import Limits, check_budget, price_source, stacks
from llmops.models.store import Store, open_store
from llmops.numbers import dollars
from llmops.places import Places, state_folder
from llmops.progress import Progress
from llmops.questions import Job, Question, load_job
from llmops.records import Response
from llmops.suites import load_suite
from llmops.tasks.answering import Answered, answered
from llmops.totals import total

STORE = "store.db"
SPEND = "spend.jsonl"


class Params(Limits):
    """How much is asked at once, how patiently, in which order, and what a run may take in all."""

    seed: int = 0
    """Order in which examples are asked, so that a run cut short is a fair sample."""


def main(places: Places, name: str, only: list[str] | None = None, limit: int | None = None) -> None:
    """Ask every model of the suite every example through every prompt.

    Args:
        only: the models to ask; all of the suite's when None.
        limit: ask a random sample of this many examples; all when None.
    """
    suite = load_suite(places.root, name)
    settings = section(places.root, "generate", Params)
    checked(settings, f"{PARAMS}: generate")
    job = load_job(places, name, suite, limit, settings.seed)
    specs = chosen_models(places, suite, only)
    responses = asyncio.run(_ask_models(places, job, specs, settings))
    jsonl.write(places.suite(name, "responses.jsonl"), responses)


async def _ask_models(
    places: Places, job: Job, specs: Mapping[str, ModelSpec], settings: Params
) -> list[Response]:
    """Return every model's responses, in the order of the suite's models, prompts and examples."""
    models = [open_model(name, spec, places) for name, spec in specs.items()]
    check_budget(models, settings)
    budget = Budget(settings)
    responses: list[Response] = []
    with closing(open_store(f"sqlite:///{state_folder(places.root) / STORE}")) as store:
        for model in models:
            try:
                meters = {prompt.name: Meter(budget, price_source(model)) for prompt in job.questions.prompts}
                responses += await _ask_model(places, job, model, meters, settings, store)
            finally:
                await model.close()
    return responses


async def _ask_model(
    places: Places, job: Job, model: Model, meters: Mapping[str, Meter], settings: Params, store: Store
) -> list[Response]:
    started, at = monotonic(), datetime.now(UTC).isoformat(timespec="seconds")
    stacked = stacks(model, store, list(meters.values()), settings)
    asks = {prompt: stack.ask for prompt, stack in zip(meters, stacked, strict=True)}
    try:
        return await _ask_all(job, model.name, asks, meters, settings)
    finally:
        seconds = (monotonic() - started) / len(meters)
        rows = [m.spend(at, job.suite, model.name, prompt, seconds) for prompt, m in meters.items()]
        jsonl.append(state_folder(places.root) / SPEND, rows)


async def _ask_all(
    job: Job, model: str, asks: Mapping[str, Ask], meters: Mapping[str, Meter], settings: Params
) -> list[Response]:
    """Ask in random order, so many at once as settings say, and return the responses in order."""
    responses: list[Response | None] = [None] * len(job.questions)
    order = list(range(len(responses)))
    random.Random(settings.seed).shuffle(order)
    waiting = iter(order)
    progress = Progress(f"generate {job.suite}: {model}", len(order))

    async def work() -> None:
        for number in waiting:
            question = job.questions[number]
            found = await _answered(job, question, asks[question.prompt.name])
            responses[number] = _response(job.suite, model, question, found)
            progress.step(_note(meters.values()))

    try:
        async with asyncio.TaskGroup() as workers:
            for _ in range(min(settings.concurrency, len(order))):
                workers.create_task(work())
    except BaseExceptionGroup as group:
        problem = next((each for each in group.exceptions if isinstance(each, UserError)), None)
        if problem is None:
            raise
        raise problem from None
    finally:
        progress.end(_note(meters.values()))
    return [response for response in responses if response is not None]


async def _answered(job: Job, question: Question, ask: Ask) -> Answered:
    asking, request = job.begin(question)
    return await answered(asking, request, ask)


def _response(suite: str, model: str, question: Question, found: Answered) -> Response:
    replies = [turn.reply for turn in found.turns]
    last = replies[-1] if replies else None
    return Response(
        suite=suite,
        example_id=question.example.id,
        model=model,
        prompt=question.prompt.name,
        repeat=question.repeat,
        answer=found.answer,
        finish_reason=last.finish_reason if last else None,
        served_model=last.served_model if last else None,
        fingerprint=last.fingerprint if last else None,
        input_tokens=total(reply.input_tokens for reply in replies),
        output_tokens=total(reply.output_tokens for reply in replies),
        latency_s=total(reply.latency_s for reply in replies) if replies else None,
        cost_usd=total([0.0, *(reply.cost_usd for reply in replies)]),
        turns=found.turns,
        error=found.error,
        confidence=last.confidence if last else None,
    )


def _note(meters: Iterable[Meter]) -> str:
    """Return what the store answered, what was spent and what is left, for the progress line."""
    every = list(meters)
    hits = sum(meter.hits for meter in every)
    spent = [meter.spent_usd for meter in every]
    known = sum(usd for usd in spent if usd is not None)
    told = [f"{hits} from the store", f"{dollars(None if None in spent else known)} spent"]
    return ", ".join([*told, *filter(None, {meter.budget.left() for meter in every})])
