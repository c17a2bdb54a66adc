"""A judge's cases as what is asked of its model."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from llmops.judges.judge import Case, Judge
from llmops.judges.reading import read
from llmops.judges.specs import Asked
from llmops.prompts import Prompt
from llmops.questions import Question
from llmops.records import Example
from llmops.replies import Message, Request
from llmops.tasks.asking import Asking, answer_of


class Cases:
    """The cases of one judge as questions, in their order."""

    def __init__(self, prompt: Prompt, cases: Sequence[Case]) -> None:
        self.prompts, self._cases = [prompt], cases

    def __len__(self) -> int:
        return len(self._cases)

    def __iter__(self) -> Iterator[Question]:
        return self.at(range(len(self)))

    def runs(self) -> Iterator[tuple[str, str]]:
        """Yield each question's (model, prompt), whose answer is judged."""
        return ((case.subject.response.model, case.subject.response.prompt) for case in self._cases)

    def at(self, numbers: Sequence[int]) -> Iterator[Question]:
        """Yield the questions of these numbers."""
        for number in numbers:
            subject, fields = self._cases[number]
            example = Example(subject.response.example_id, fields)
            yield Question(example, self.prompts[0], subject.response.repeat)


class Hearing(NamedTuple):
    """What one judge's model is asked, and how."""

    suite: str
    judge: Judge
    questions: Cases

    @property
    def title(self) -> str:
        """What the progress is shown under."""
        return f"judge {self.suite}: {self.judge.name}"

    def begin(self, question: Question) -> tuple[Asking, Request]:
        """Return the asking of one case with its first Request."""
        asking = _asking(self.judge, _request(self.judge, question))
        return asking, next(asking)


def _asking(judge: Judge, request: Request) -> Asking:
    """Ask, and once more where the verdict cannot be read and the prompt has words for it."""
    reply = yield request
    assert judge.ballot is not None and judge.prompt is not None  # noqa: S101, PT018 - for mypy
    if problem := read(reply.text, judge.ballot).problem:
        told = judge.prompt.repaired(problem)
        if told is not None:
            said = Message("assistant", reply.text or "")
            reply = yield replace(request, messages=[*request.messages, said, told])
    return answer_of(reply)


def _request(judge: Judge, question: Question) -> Request:
    spec, ballot = judge.spec, judge.ballot
    structured = isinstance(spec, Asked) and spec.structured and ballot is not None
    return Request(
        example_id=question.example.id,
        inputs={},
        messages=question.prompt.render(question.example),
        response_format=ballot.response_format() if structured and ballot else None,
    )
