"""Questions to Responses: what is stored is given again, what is missing is asked."""

import asyncio
import random
from array import array
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from functools import partial
from typing import NamedTuple

import msgspec

from llmops import jsonl
from llmops.errors import Stopped, UserError
from llmops.models.budget import Budget
from llmops.models.meter import Meter
from llmops.models.model import Model
from llmops.models.recalling import recalling
from llmops.models.stack import Limits, price_source, stacks
from llmops.models.stoppable import STOPPED, Stop, Stopping
from llmops.models.store.store import Store
from llmops.numbers import dollars
from llmops.progress import MOVES_S, Progress
from llmops.questions import Asked, Begun, Question
from llmops.records import Response, Spend
from llmops.replies import Fault, Reply
from llmops.tasks.answering import Answered, answered, answered_at_once
from llmops.totals import total

FEWEST, MOST = 8, 64
"""Questions that are looked up in the store at once: few while there are some to ask, since an answer that
comes in meanwhile waits, and more and more while all are stored."""
GO_ON = "the same command goes on from there"

Put = Callable[[int, bytes], None]
"""Takes a question's number and its Response as a line."""


class Run(NamedTuple):
    """What all models of one run share."""

    store: Store
    budget: Budget
    limits: Limits
    stop: Stop
    seed: int = 0


class Missing(NamedTuple):
    """A question whose answer has to be asked for."""

    number: int
    question: Question
    begun: Begun


class Round:
    """All questions of a job asked of one model.

    Questions are taken in random order over all prompts, so that a run which a budget or the user ends
    early has asked a fair sample.

    Attributes:
        unheeded: what the model's server was asked and did not do → in how many answers.
    """

    def __init__(self, run: Run, job: Asked, model: Model, put: Put) -> None:
        self.unheeded = Counter[str]()
        self.meters = {prompt.name: Meter(run.budget) for prompt in job.questions.prompts}
        self.suite, self.model = job.suite, model.name
        self._run, self._job, self._put = run, job, put
        self._stored, self._gathers = model.stored, model.batches is not None
        self._price_source = partial(price_source, model)
        stacked = stacks(model, run.store, list(self.meters.values()), run.limits, run.stop)
        self._asks = {prompt: stack.ask for prompt, stack in zip(self.meters, stacked, strict=True)}
        self._recall = recalling(model, run.store)
        self._at_once = len(job.questions) if self._gathers else run.limits.concurrency
        self._lanes = self._asking = 0
        self._one_looks = asyncio.Lock()
        self._progress = Progress(f"{job.title}: {model.name}", len(job.questions), self._note)

    @property
    def answers(self) -> int:
        """How many questions have a Response so far."""
        return self._progress.done

    def spend(self, at: str, seconds: float) -> list[Spend]:
        """Return what was asked and spent for each prompt, whose seconds are alike."""
        for meter in self.meters.values():
            if meter.calls:  # the price table takes as long to load as ten thousand stored answers
                meter.price_source = self._price_source()
        each_s = seconds / len(self.meters)
        return [
            meter.spend(at, self.suite, self.model, prompt, each_s) for prompt, meter in self.meters.items()
        ]

    async def ask_all(self) -> None:
        """Put a Response for every question; raises as ``ask``."""
        try:
            await self.ask(self._order())
        finally:
            self.end()

    async def ask(self, numbers: Sequence[int]) -> None:
        """Put a Response for each of these questions, begun in this order.

        Raises:
            UserError: what the user can mend; what was answered is stored.
            Stopped: the user ended the run; what was in flight is stored.
        """
        wanted = self.answers + len(numbers)
        telling = asyncio.create_task(self._tell())
        try:
            with one_user_error():
                async with aclosing(self._missing(numbers)) as missing, asyncio.TaskGroup() as lanes:
                    self._open_lane(lanes, missing)
        finally:
            telling.cancel()
        if self._run.stop.asked and self.answers < wanted:
            every = len(self._job.questions)
            raise Stopped(f"stopped: {self.model} answered {self.answers} of {every}, all stored; {GO_ON}")

    def leave(self, numbers: Sequence[int], fault: Fault) -> None:
        """Put a Response with this fault for each of these questions, which are not asked."""
        for number, question in zip(numbers, self._job.questions.at(numbers), strict=True):
            self._done(number, question, Answered(None, [], fault))

    def end(self) -> None:
        """Tell how far it came."""
        self._progress.end()

    def _open_lane(self, lanes: asyncio.TaskGroup, missing: AsyncIterator[Missing]) -> None:
        self._lanes += 1
        lanes.create_task(self._lane(lanes, missing))

    async def _lane(self, lanes: asyncio.TaskGroup, missing: AsyncIterator[Missing]) -> None:
        """Ask one question after the other until none is left, beside as many others as may be."""
        try:
            while (found := await self._next(missing)) is not None:
                if self._lanes < self._at_once:
                    self._open_lane(lanes, missing)
                await self._ask(found)
        finally:
            self._lanes -= 1

    async def _next(self, missing: AsyncIterator[Missing]) -> Missing | None:
        async with self._one_looks:
            return await anext(missing, None)

    async def _missing(self, numbers: Sequence[int]) -> AsyncGenerator[Missing]:
        """Yield the questions that have no answer, until the run is to stop, and put what is answered."""
        start, size = 0, FEWEST
        while start < len(numbers):
            missing = await self._looked_up(numbers[start : start + size])
            for found in missing:
                if self._run.stop.asked:
                    return
                yield found
            await asyncio.sleep(0)
            if self._run.stop.asked:
                return
            start, size = start + size, FEWEST if missing else min(MOST, 2 * size)

    def _order(self) -> Sequence[int]:
        order = array("Q", range(len(self._job.questions)))
        if self._stored:
            random.Random(self._run.seed).shuffle(order)
        return order

    async def _looked_up(self, numbers: Sequence[int]) -> list[Missing]:
        """Put the answers that are there already, and return the questions that have none."""
        questions = list(self._job.questions.at(numbers))
        begun = [self._job.begin(question) for question in questions]
        replies = await self._recall([request for _, request in begun])
        missing = list[Missing]()
        for number, question, first, reply in zip(numbers, questions, begun, replies, strict=True):
            if reply is None:
                missing.append(Missing(number, question, first))
            elif (found := answered_at_once(*first, reply)) is None:
                missing.append(Missing(number, question, self._job.begin(question)))
            else:
                if self._stored:
                    self.meters[question.prompt.name].hit(reply)
                self._done(number, question, found)
        return missing

    async def _ask(self, missing: Missing) -> None:
        number, question, begun = missing
        self._asking += 1
        try:
            found = await answered(*begun, self._asks[question.prompt.name])
        except Stopping:
            return
        finally:
            self._asking -= 1
        if found.error is None or found.error.kind != STOPPED:
            self._done(number, question, found)

    def _done(self, number: int, question: Question, found: Answered) -> None:
        row = response(self.suite, self.model, question, found)
        if row.unheeded:
            self.unheeded.update(row.unheeded)
        self._put(number, jsonl.line(row))
        self._progress.step()

    async def _tell(self) -> None:
        while not self._gathers:  # batches tell themselves how they stand, which may be for a day
            await asyncio.sleep(MOVES_S)
            self._progress.look()

    def _note(self) -> str:
        """Return what the run took and may take yet, then what is under way; a narrow line cuts the end."""
        in_flight = self._run.stop.in_flight
        hits = sum(meter.hits for meter in self.meters.values())
        told = [f"{self._spent()} spent", self._run.budget.left().removesuffix(" of the budget")]
        told += [f"{in_flight} in flight"] if in_flight else []
        told += [f"{waiting} waiting"] if (waiting := self._asking - in_flight) > 0 else []
        told += [f"{hits} stored"]
        return ", ".join(filter(None, told))

    def _spent(self) -> str:
        spent = [meter.spent_usd for meter in self.meters.values()]
        return dollars(total(spent))


def side_by_side(models: Sequence[Model]) -> list[list[int]]:
    """Return which models, by number, are asked side by side, and within each list in turn.

    One that is asked in batches waits for hours, which none of the others should wait for.
    """
    gathering = [[number] for number, model in enumerate(models) if model.batches is not None]
    in_turn = [number for number, model in enumerate(models) if model.batches is None]
    return [*gathering, in_turn]


@contextmanager
def one_user_error() -> Iterator[None]:
    """Raise one of several tasks' errors instead of a group, where one can be told in a line."""
    try:
        yield
    except BaseExceptionGroup as group:
        kinds = (UserError, Stopped, OSError)
        known = [each for kind in kinds for each in group.exceptions if isinstance(each, kind)]
        if not known:
            raise
        problem = known[0]
        raise problem from None


def response(suite: str, model: str, question: Question, found: Answered) -> Response:
    """Return the row of one question."""
    replies = [turn.reply for turn in found.turns]
    whole = _added(replies) if len(replies) != 1 else replies[0]
    return Response(
        suite=suite,
        example_id=question.example.id,
        model=model,
        prompt=question.prompt.name,
        repeat=question.repeat,
        answer=found.answer,
        finish_reason=whole.finish_reason,
        served_model=whole.served_model,
        fingerprint=whole.fingerprint,
        input_tokens=whole.input_tokens,
        output_tokens=whole.output_tokens,
        usage_source=whole.usage_source,
        latency_s=whole.latency_s,
        first_token_s=whole.first_token_s,
        cost_usd=whole.cost_usd,
        turns=found.turns,
        error=found.error,
        confidence=whole.confidence,
        unheeded=whole.unheeded,
    )


def _added(replies: Sequence[Reply]) -> Reply:
    """Return the last reply with the sums of all; of none, nothing was used and nothing is owed."""
    if not replies:
        return Reply(input_tokens=0, output_tokens=0, cost_usd=0.0)
    estimated = any(reply.usage_source == "estimated" for reply in replies)
    return msgspec.structs.replace(
        replies[-1],
        input_tokens=total(reply.input_tokens for reply in replies),
        output_tokens=total(reply.output_tokens for reply in replies),
        usage_source="estimated" if estimated else replies[-1].usage_source,
        latency_s=total(reply.latency_s for reply in replies),
        cost_usd=total(reply.cost_usd for reply in replies),
        unheeded=sorted({name for reply in replies for name in reply.unheeded}),
    )
