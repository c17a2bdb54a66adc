"""What a suite's judges will be asked, with a text of a likely length where an answer is not there yet."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import closing, nullcontext
from hashlib import sha256
from pathlib import Path

from llmops.generating import response
from llmops.judges.asking import Cases, Hearing
from llmops.judges.bench import judging
from llmops.judges.judge import Case, Judge, Subject
from llmops.judging import asked_judges
from llmops.models.model import Model
from llmops.models.recalling import Recall, recalling
from llmops.models.store import SCHEME, open_store
from llmops.places import Places
from llmops.questions import Begun, Job, Question
from llmops.records import Fault, Reply, Request, Response, Turn
from llmops.suites import Suite
from llmops.tasks.answering import Answered, answered, answered_at_once, next_request

BLOCK = 256


def hearings(places: Places, name: str, suite: Suite, answers: Sequence[Subject]) -> list[Hearing]:
    """Return what each judge that is a model is asked of these answers, members of juries included.

    Raises:
        UserError: a judge that there is not, or a wrong setting.
    """
    found: list[Hearing] = []

    async def note(judge: Judge, cases: Sequence[Case]) -> list[Response]:
        if judge.prompt is not None and cases:
            found.append(Hearing(name, judge, Cases(judge.prompt, cases)))
        return [Response(name, case.subject.example.id, "", "", error=Fault("unasked", "")) for case in cases]

    async def sit() -> None:
        given = judging(places, answers, suite.baseline, note)
        for judge in asked_judges(places, suite.judges):
            await given(judge.name)

    asyncio.run(sit())
    return found


def answers_ahead(job: Job, model: Model, store: Path, lengths: Mapping[str, int]) -> list[Subject]:
    """Return a model's answers: those that are there already, and a text in the place of each other.

    Args:
        lengths: prompt → how many characters such an answer is likely to have.
    """
    if not store.exists() and model.stored:
        return [_subject(job, model, each, None, lengths) for each in job.questions]
    with closing(open_store(f"{SCHEME}{store}")) if model.stored else nullcontext() as opened:
        found = asyncio.run(_there(job, recalling(model, opened)))
    return [_subject(job, model, question, said, lengths) for question, said in found]


async def _there(job: Job, recall: Recall) -> list[tuple[Question, Answered | None]]:
    """Return each question with its answer, None where any turn of it is missing."""
    found: list[tuple[Question, Answered | None]] = []
    numbers = range(len(job.questions))
    for start in numbers[::BLOCK]:
        block = list(job.questions.at(numbers[start : start + BLOCK]))
        begun = [job.begin(question) for question in block]
        replies = await recall([request for _, request in begun])
        for question, first, reply in zip(block, begun, replies, strict=True):
            said = None if reply is None else answered_at_once(*first, reply)
            if reply is not None and said is None:  # it asks on
                said = await _to_the_end(job.begin(question), recall)
            found.append((question, said))
    return found


async def _to_the_end(begun: Begun, recall: Recall) -> Answered | None:
    async def ask(request: Request) -> Reply:
        [reply] = await recall([request])
        if reply is None:
            raise _NotThere
        return reply

    try:
        return await answered(*begun, ask)
    except _NotThere:
        return None


class _NotThere(Exception):
    """A turn that was not asked yet."""


def _subject(
    job: Job, model: Model, question: Question, said: Answered | None, lengths: Mapping[str, int]
) -> Subject:
    if said is None:
        whose, length = f"{model.name} {question.prompt.name}", lengths[question.prompt.name]
        said = _stand_in(whose, job.begin(question), length, goes_on=question.prompt.asking is not None)
    return Subject(response(job.suite, model.name, question, said), question.example)


def _stand_in(whose: str, begun: Begun, length: int, *, goes_on: bool) -> Answered:
    """Return answers of this length, others for each run: what is alike would be asked once."""
    reply = Reply(text=(sha256(whose.encode()).hexdigest() * (length // 64 + 1))[:length])
    asking, turns = begun[0], list[Turn]()
    request: Request | None = begun[1]
    while request is not None:
        turns.append(Turn(messages=request.messages, reply=reply))
        request = next_request(asking, reply) if goes_on else None
    return Answered(reply.text, turns, None)
