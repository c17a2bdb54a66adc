"""What a suite's judges will be asked, with a text of a likely length where an answer is not there yet."""

import asyncio
from collections.abc import Mapping, Sequence, Set
from contextlib import closing, nullcontext
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

from llmops.estimating import ENOUGH
from llmops.generating import response
from llmops.judges.asking import Cases, Hearing
from llmops.judges.bench import judging
from llmops.judges.judge import Case, Judge, Subject
from llmops.judging import asked_judges
from llmops.models.model import Model, request_key
from llmops.models.recalling import Recall, recalling
from llmops.models.store.store import SCHEME, open_store
from llmops.places import Places
from llmops.questions import Begun, Job, Question
from llmops.records import Response
from llmops.replies import Fault, Reply, Request, Turn
from llmops.stats.prediction import Foreseen, predicted_sum
from llmops.suites import Suite
from llmops.tasks.answering import Answered, answered, answered_at_once, next_request

BLOCK = 256
SAMPLE = 100
"""Examples of a prompt whose answers others are taken to be like."""
WORDS = "so many words in the place of an answer "

_Found = list[tuple[Question, Answered | None]]
_Known = dict[str, dict[str, dict[int, str]]]
"""Prompt → example → repeat → answer, of a sample of what is there; none of a prompt with few."""


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


class Ahead(NamedTuple):
    """Answers, as far as they can be told."""

    subjects: list[Subject]
    guessed: set[tuple[str, str, str]]
    """(example, model, prompt) of those that are not there."""


def answers_ahead(job: Job, model: Model, store: Path, lengths: Mapping[str, int]) -> Ahead:
    """Return a model's answers: those that are there already, and a text in the place of each other.

    That is the prompt's answer to another example, the same one for all models and prompts that have it: so
    they agree as often as in what is there, and a judge is asked once for what is alike.

    Args:
        lengths: prompt → how many characters an answer is likely to have where few are there.
    """
    if not store.exists() and model.stored:
        found: _Found = [(question, None) for question in job.questions]
    else:
        with closing(open_store(f"{SCHEME}{store}")) if model.stored else nullcontext() as opened:
            found = asyncio.run(_there(job, recalling(model, opened)))
    ahead = partial(_ahead, job, model, _known(found), lengths)
    subjects = [
        Subject(response(job.suite, model.name, question, said or ahead(question)), question.example)
        for question, said in found
    ]
    guessed = {
        (question.example.id, model.name, question.prompt.name) for question, said in found if said is None
    }
    return Ahead(subjects, guessed)


def calls_foreseen(
    hearing: Hearing, model: Model, asked: Sequence[Request], guessed: Set[tuple[str, str, str]]
) -> Foreseen:
    """Return how many of these calls there will be, as answers that are not there may be alike or not.

    Foreseen by the examples whose answers are all there: how many calls the runs that lack answers add
    there to those of the others. With fewer than ten of them from all alike to none.

    Args:
        asked: the requests to be sent, those on texts in the place of answers included.
        guessed: (example, model, prompt) of the answers that are not there.
    """
    if not guessed:
        return Foreseen(len(asked), len(asked), len(asked))
    lacking, examples = {(named, prompt) for _, named, prompt in guessed}, {each[0] for each in guessed}
    runs, most = set(hearing.questions.runs()), 0
    others: dict[str, set[str]] = {}
    added: dict[str, set[str]] = {}
    for question, run in zip(hearing.questions, hearing.questions.runs(), strict=True):
        example = question.example.id
        if example in examples:
            most += (example, *run) in guessed
        else:
            calls = (added if run in lacking else others).setdefault(example, set())
            calls.add(request_key(model, hearing.begin(question)[1]))
    known = [(0.0, float(len(keys - others.get(example, set())))) for example, keys in added.items()]
    few = Foreseen(0.0, 0.0 if runs - lacking else float(len(examples)), float(most))
    found = (predicted_sum(known, [0.0] * len(examples)) if len(known) >= ENOUGH else None) or few
    value = sum(request.example_id in examples for request in asked)
    sure, low, high = len(asked) - value, max(0.0, found.low), min(found.high, float(most))
    return Foreseen(len(asked), sure + min(low, value), sure + max(high, value))


async def _there(job: Job, recall: Recall) -> _Found:
    """Return each question with its answer, None where any turn of it is missing."""
    found: _Found = []
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


def _known(found: _Found) -> _Known:
    known: _Known = {}
    for (example, prompt, repeat), said in found:
        if said is not None and said.answer is not None:
            known.setdefault(prompt.name, {}).setdefault(example.id, {})[repeat] = said.answer
    return {
        prompt: {example: answers[example] for example in sorted(answers, key=_hashed)[:SAMPLE]}
        for prompt, answers in known.items()
        if len(answers) >= ENOUGH
    }


def _hashed(text: str) -> int:
    return crc32(text.encode("utf-8", "surrogatepass"))


def _ahead(job: Job, model: Model, known: _Known, lengths: Mapping[str, int], question: Question) -> Answered:
    prompt, example = question.prompt, question.example.id
    if answers := known.get(prompt.name):
        said = answers[min(answers, key=lambda other: _hashed(f"{example} {other}"))]
        text = said.get(question.repeat) or next(iter(said.values()))
    else:
        text = _filler(f"{model.name} {prompt.name}", lengths[prompt.name])
    return _stand_in(text, job.begin(question), goes_on=prompt.asking is not None)


def _filler(whose: str, length: int) -> str:
    """Return a text of this length, another for each run where there is room: what is alike is asked once."""
    return f"{sha256(whose.encode()).hexdigest()[:4]} {words(length)}"[:length]


def words(length: int) -> str:
    """Return a text of so many characters that a tokenizer cuts as it cuts others."""
    return (WORDS * (length // len(WORDS) + 1))[:length]


def _stand_in(text: str, begun: Begun, *, goes_on: bool) -> Answered:
    """Return the answer that is this text, in each turn of a conversation."""
    reply, turns = Reply(text=text), list[Turn]()
    asking, first = begun
    request: Request | None = first
    while request is not None:
        turns.append(Turn(messages=request.messages, reply=reply))
        request = next_request(asking, reply) if goes_on else None
    return Answered(text, turns, None)
