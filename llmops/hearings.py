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
from llmops.models.recalling import recalling
from llmops.models.store import SCHEME, open_store
from llmops.places import Places
from llmops.questions import Begun, Job, Question
from llmops.records import Fault, Reply, Response, Turn
from llmops.suites import Suite
from llmops.tasks.answering import Answered, answered_at_once

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
        recall = recalling(model, opened)

        async def known() -> list[tuple[Question, Reply | None]]:
            found: list[tuple[Question, Reply | None]] = []
            numbers = range(len(job.questions))
            for start in numbers[::BLOCK]:
                block = list(job.questions.at(numbers[start : start + BLOCK]))
                replies = await recall([job.begin(question)[1] for question in block])
                found += zip(block, replies, strict=True)
            return found

        return [_subject(job, model, *each, lengths) for each in asyncio.run(known())]


def _subject(
    job: Job, model: Model, question: Question, reply: Reply | None, lengths: Mapping[str, int]
) -> Subject:
    begun = job.begin(question)
    found = None if reply is None else answered_at_once(*begun, reply)
    whose = f"{model.name} {question.prompt.name}"
    said = found or _stand_in(whose, begun, lengths[question.prompt.name])
    return Subject(response(job.suite, model.name, question, said), question.example)


def _stand_in(whose: str, begun: Begun, length: int) -> Answered:
    """Return an answer of this length, one for each run: what is alike would be asked once."""
    text = (sha256(whose.encode()).hexdigest() * (length // 64 + 1))[:length]
    return Answered(text, [Turn(messages=begun[1].messages, reply=Reply(text=text))], None)
