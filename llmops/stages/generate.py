"""results/<suite>/examples.jsonl, prompts/, models/ -> responses.jsonl: money is spent here."""

import asyncio
import random
from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from time import monotonic
from typing import NamedTuple

from llmops import jsonl
from llmops.config import PARAMS, params, section
from llmops.errors import UserError
from llmops.models.catalog import open_model, parse_spec
from llmops.models.meter import Budget, BudgetSpent, Meter
from llmops.models.model import Ask, Model
from llmops.models.specs import ModelSpec, RecordedSpec
from llmops.models.stack import Limits, stacks
from llmops.models.store import Store, open_store
from llmops.numbers import dollars
from llmops.places import Places, state_folder, watched
from llmops.progress import Progress
from llmops.prompts import Prompt, load_prompt
from llmops.records import Example, Fault, Response
from llmops.suites import Suite, load_suite
from llmops.tasks.answering import Answered, answered, summed
from llmops.tasks.asking import ASKING
from llmops.tasks.catalog import load_task

STORE = "store.db"
SPEND = "spend.jsonl"
WATCHED = ("apps", "data", "models")
"""The folders that dvc.yaml has this stage depend on."""


class Params(Limits):
    """How much is asked at once, how patiently, in which order, and for how much money."""

    budget_usd: float | None = None
    """What one run of the stage may spend; None means no limit."""
    seed: int = 0
    """Order in which examples are asked, so that a run cut short is a fair sample."""


class Question(NamedTuple):
    """One thing to ask: an example through a prompt, for the n-th time."""

    example: Example
    prompt: Prompt
    repeat: int


class Job(NamedTuple):
    """What every model of a suite is asked, and how."""

    name: str
    asking: str
    questions: list[Question]
    settings: Params
    places: Places


def main(places: Places, name: str, only: list[str] | None = None, limit: int | None = None) -> None:
    """Ask every model of the suite every example through every prompt.

    Args:
        only: the models to ask; all of the suite's when None.
        limit: ask a random sample of this many examples; all when None.
    """
    suite = load_suite(places.root, name)
    settings = section(places.root, "generate", Params)
    questions = _questions(places, name, suite, limit, settings.seed)
    specs = _specs(places, suite, only)
    asking = load_task(suite.task, f"{PARAMS}: suites: {name}: task").asking
    responses = asyncio.run(_ask_models(Job(name, asking, questions, settings, places), specs))
    jsonl.write(places.suite(name, "responses.jsonl"), responses)


def _questions(places: Places, name: str, suite: Suite, limit: int | None, seed: int) -> list[Question]:
    read = jsonl.read(places.suite(name, "examples.jsonl"), Example)
    examples = [example for example in read if _asked(example, suite)]
    if suite.only and not examples:
        raise UserError(f"{PARAMS}: suites: {name}: only: no example has {suite.only}; mend it")
    if limit is not None and limit < len(examples):
        chosen = set(random.Random(seed).sample(range(len(examples)), limit))
        examples = [example for number, example in enumerate(examples) if number in chosen]
    prompts = [load_prompt(places.root, prompt) for prompt in suite.prompts]
    for prompt in prompts:
        for example in examples:
            prompt.check(example)
    return [
        Question(e, prompt, repeat) for prompt in prompts for e in examples for repeat in range(suite.repeats)
    ]


def _asked(example: Example, suite: Suite) -> bool:
    return all(example.slices.get(key) in values for key, values in suite.only.items())


def _specs(places: Places, suite: Suite, only: list[str] | None) -> dict[str, ModelSpec]:
    """Return the settings of the models to ask, all of them read before any is asked."""
    known = params(places.root).get("models") or {}
    for name in only or []:
        if name not in suite.models:
            raise UserError(f"--model: {name!r} is not of this suite; models are {suite.models}")
    chosen = [name for name in suite.models if only is None or name in only]
    for name in chosen:
        if name not in known:
            raise UserError(f"{PARAMS}: suites: no model {name!r}; models are {sorted(known)}")
    specs = {name: parse_spec(name, known[name]) for name in chosen}
    for name, spec in specs.items():
        for file in _files(spec):
            watched(file, WATCHED, f"{PARAMS}: models: {name}: file")
    return specs


def _files(spec: ModelSpec) -> list[str]:
    """Return the files of the project that a model is made of."""
    if isinstance(spec, RecordedSpec) and spec.dataset:
        return []
    file = getattr(spec, "file", None)
    return [*([file] if file else []), *getattr(spec, "files", [])]


async def _ask_models(job: Job, specs: Mapping[str, ModelSpec]) -> list[Response]:
    """Return every model's responses, in the order of the suite's models, prompts and examples."""
    models = [open_model(name, spec, job.places) for name, spec in specs.items()]
    budget = Budget(job.settings.budget_usd)
    responses: list[Response] = []
    with closing(open_store(f"sqlite:///{state_folder(job.places.root) / STORE}")) as store:
        for model in models:
            try:
                responses += await _ask_model(job, model, budget, store)
            finally:
                await model.close()
    return responses


async def _ask_model(job: Job, model: Model, budget: Budget, store: Store) -> list[Response]:
    started, at = monotonic(), datetime.now(UTC).isoformat(timespec="seconds")
    prompts = list(dict.fromkeys(question.prompt.name for question in job.questions))
    meters = {prompt: Meter(budget) for prompt in prompts}
    stacked = stacks(model, store, list(meters.values()), job.settings)
    asks = {prompt: stack.ask for prompt, stack in zip(prompts, stacked, strict=True)}
    try:
        return await _ask_all(job, model, asks, meters)
    finally:
        seconds = (monotonic() - started) / len(meters)
        rows = [m.spend(at, job.name, model.name, prompt, seconds) for prompt, m in meters.items()]
        jsonl.append(state_folder(job.places.root) / SPEND, rows)


async def _ask_all(
    job: Job, model: Model, asks: Mapping[str, Ask], meters: Mapping[str, Meter]
) -> list[Response]:
    """Ask in random order, so many at once as settings say, and return the responses in order."""
    responses: list[Response | None] = [None] * len(job.questions)
    order = list(range(len(responses)))
    random.Random(job.settings.seed).shuffle(order)
    waiting = iter(order)
    at_once = job.settings.concurrency if model.batches is None else len(order)
    progress = Progress(f"generate {job.name}: {model.name}", len(order))

    async def work() -> None:
        for number in waiting:
            question = job.questions[number]
            found = await _answered(job.asking, question, asks[question.prompt.name])
            responses[number] = _response(job.name, model.name, question, found)
            progress.step(_note(meters.values()))

    try:
        async with asyncio.TaskGroup() as workers:
            for _ in range(min(at_once, len(order))):
                workers.create_task(work())
    except BaseExceptionGroup as group:
        problem = next((each for each in group.exceptions if isinstance(each, UserError)), None)
        if problem is None:
            raise
        raise problem from None
    finally:
        progress.end(_note(meters.values()))
    return [response for response in responses if response is not None]


async def _answered(asking: str, question: Question, ask: Ask) -> Answered:
    messages = question.prompt.render(question.example)
    try:
        return await answered(ASKING[asking](question.example, messages, question.repeat), ask)
    except BudgetSpent as spent:
        return Answered(None, [], Fault(kind="budget", message=str(spent)))


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
        input_tokens=summed([reply.input_tokens for reply in replies]),
        output_tokens=summed([reply.output_tokens for reply in replies]),
        latency_s=summed([reply.latency_s for reply in replies]),
        cost_usd=summed([reply.cost_usd for reply in replies]),
        turns=found.turns,
        error=found.error,
        confidence=last.confidence if last else None,
    )


def _note(meters: Iterable[Meter]) -> str:
    """Return what the store answered and what was spent, for the progress line."""
    every = list(meters)
    hits = sum(meter.hits for meter in every)
    spent = [meter.spent_usd for meter in every]
    known = sum(usd for usd in spent if usd is not None)
    return f"{hits} from the store, {dollars(None if None in spent else known)} spent"
