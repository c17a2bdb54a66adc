"""What a suite asks: its examples through its prompts, as often as it repeats them."""

import random
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from llmops.cards.card import load_card
from llmops.cards.examples import labels as labels_of
from llmops.config import PARAMS
from llmops.errors import UserError
from llmops.indexed import Indexed
from llmops.models.catalog import hold_to_weighing
from llmops.models.specs import ModelSpec
from llmops.places import Places
from llmops.prompts import Prompt, load_prompt
from llmops.records import Example
from llmops.replies import Request
from llmops.suites import Suite
from llmops.tasks.asking import ASKING, Asking
from llmops.tasks.catalog import load_task
from llmops.tasks.likelihood import WEIGHING

Begun = tuple[Asking, Request]
"""A task's generator, with the first Request that it gave."""


class Question(NamedTuple):
    """One thing to ask: an example through a prompt, for the n-th time."""

    example: Example
    prompt: Prompt
    repeat: int


class Questions:
    """A suite's questions in their order: by prompt, then by example, then by repeat.

    None is held: an example is read from its file when its question is wanted.
    """

    def __init__(self, examples: Indexed[Example], prompts: Sequence[Prompt], repeats: int = 1) -> None:
        self.examples, self.prompts, self.repeats = examples, prompts, repeats

    def __len__(self) -> int:
        return len(self.prompts) * len(self.examples) * self.repeats

    def __iter__(self) -> Iterator[Question]:
        for prompt in self.prompts:
            for example in self.examples:
                for repeat in range(self.repeats):
                    yield Question(example, prompt, repeat)

    def at(self, numbers: Sequence[int]) -> Iterator[Question]:
        """Yield the questions of these numbers, each its place in the order."""
        rests = [divmod(number, self.repeats) for number in numbers]
        places = [(divmod(rest, len(self.examples)), repeat) for rest, repeat in rests]
        examples = self.examples.at(example for (_, example), _ in places)
        for ((prompt, _), repeat), example in zip(places, examples, strict=True):
            yield Question(example, self.prompts[prompt], repeat)


class Numbered(Protocol):
    """Questions that are known by their numbers."""

    @property
    def prompts(self) -> Sequence[Prompt]:
        """What they are asked through."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Question]: ...

    def at(self, numbers: Sequence[int]) -> Iterator[Question]:
        """Yield those of these numbers."""


class Asked(Protocol):
    """What is asked of one model."""

    @property
    def suite(self) -> str:
        """The suite that it is asked for."""

    @property
    def title(self) -> str:
        """What the progress is shown under."""

    @property
    def questions(self) -> Numbered:
        """All that is asked."""

    def begin(self, question: Question) -> Begun:
        """Return the asking of one question with its first Request."""


class Job(NamedTuple):
    """What every model of a suite is asked, and how."""

    suite: str
    asking: str
    """A key of ``tasks.asking.ASKING``; a prompt's own goes before it."""
    questions: Questions
    labels: list[str] = []
    """The answers there are; [] where the data set names none, or the task does not ask for them."""

    @property
    def title(self) -> str:
        """What the progress is shown under."""
        return f"generate {self.suite}"

    def hold(self, specs: Mapping[str, ModelSpec]) -> None:
        """Refuse models that cannot be asked in the task's way.

        Raises:
            UserError: the task has choices weighed, and a model cannot, or a prompt is asked otherwise.
        """
        if self.asking not in WEIGHING:
            return
        hold_to_weighing(specs, f"{PARAMS}: suites: {self.suite}: models")
        for prompt in self.questions.prompts:
            if prompt.asking:
                raise UserError(f"{prompt.path}: asking: choices are weighed by the task; take it out")

    def begin(self, question: Question) -> Begun:
        """Return the task's generator with the first Request, which all that follow depend on."""
        example, prompt, repeat = question
        messages = prompt.render(example)
        if self.asking in WEIGHING:
            asking = WEIGHING[self.asking](example, messages, repeat, self.labels)
        else:
            asking = ASKING[prompt.asking or self.asking](example, messages, repeat, prompt.response_format)
        return asking, next(asking)


def load_job(places: Places, name: str, suite: Suite, limit: int | None = None, seed: int = 0) -> Job:
    """Return what the suite asks, each example checked against each prompt.

    Args:
        limit: ask a random sample of this many examples, drawn by ``seed``; all when None.

    Raises:
        UserError: no examples, a field that no example has, or a task, prompt or slice that is not there.
    """
    asking = load_task(suite.task, f"{PARAMS}: suites: {name}: task").asking
    prompts = [load_prompt(places.root, prompt) for prompt in suite.prompts]
    examples = _examples(places, name, suite, prompts)
    if limit is not None and limit < len(examples):
        examples.keep(sorted(drawing_order(len(examples), seed)[:limit]))
    labels = _labels(places, suite, examples) if asking in WEIGHING else []
    return Job(name, asking, Questions(examples, prompts, suite.repeats), labels)


def drawing_order(count: int, seed: int) -> Sequence[int]:
    """Return examples' numbers in the order in which samples take them: a larger sample holds a smaller."""
    order = array("Q", range(count))
    random.Random(seed).shuffle(order)
    return order


def _labels(places: Places, suite: Suite, examples: Iterable[Example]) -> list[str]:
    return labels_of(load_card(places.root, suite.dataset), examples) or []


def _examples(places: Places, name: str, suite: Suite, prompts: list[Prompt]) -> Indexed[Example]:
    def wanted(example: Example) -> bool:
        if not all(example.slices.get(key) in values for key, values in suite.only.items()):
            return False
        for prompt in prompts:
            prompt.check(example)
        return True

    examples = Indexed(places.suite(name, "examples.jsonl"), Example, wanted)
    if suite.only and not examples:
        raise UserError(f"{PARAMS}: suites: {name}: only: no example has {suite.only}; mend it")
    return examples
