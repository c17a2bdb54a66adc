"""The random order in which a sequential run asks a suite's examples, block by block."""

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from typing import Protocol

import msgspec
from msgspec.structs import replace

from llmops import jsonl
from llmops.generating import Put, Round, response
from llmops.questions import Questions, drawing_order
from llmops.records import DECIDED, Example, Response
from llmops.replies import Fault
from llmops.tasks.answering import Answered

FIRST = 32
"""Examples of the first block."""
GROWTH = 1.5
"""How many times as many examples have been asked after a block as before it."""

Named = tuple[str, str]
"""A model and a prompt."""


class Watch(Protocol):
    """Who looks at the answers of a sequential run while it asks."""

    def begin(self, examples: Iterable[Example], left: Iterable[Response]) -> None:
        """Take what is to be asked: the examples, and a Response in the place of each answer to come."""

    def undecided(self, new: Sequence[Response]) -> Set[Named]:
        """Take answers, and return the runs that have to go on."""


class Drawing:
    """A random order of a suite's examples, the same for all of its runs."""

    def __init__(self, questions: Questions, seed: int) -> None:
        self.questions = questions
        self._order = drawing_order(len(questions.examples), seed)
        self._places = array("Q", bytes(8 * len(self._order)))
        for place, example in enumerate(self._order):
            self._places[example] = place

    def __len__(self) -> int:
        return len(self._order)

    def blocks(self) -> Iterator[range]:
        """Yield places in the order, each block some half of all that went before it."""
        start, end = 0, FIRST
        while start < len(self):
            yield range(start, min(end, len(self)))
            start, end = end, round(end * GROWTH)

    def numbers(self, prompts: Iterable[int], places: range) -> list[int]:
        """Return the questions of these places through these prompts, by their numbers."""
        count, repeats = len(self._order), self.questions.repeats
        first = [(prompt * count + self._order[place]) * repeats for place in places for prompt in prompts]
        return [number + repeat for number in first for repeat in range(repeats)]

    def place(self, number: int) -> int:
        """Return where the example of a question stands in the order."""
        return self._places[number // self.questions.repeats % len(self._order)]

    def noting(self, put: Put, note: Callable[[Response], None]) -> Put:
        """Return ``put`` for responses that tell their place, each of which is noted too."""
        read = msgspec.json.Decoder(Response).decode

        def put_and_note(number: int, line: bytes) -> None:
            row = replace(read(line), drawn=self.place(number))
            note(row)
            put(number, jsonl.line(row))

        return put_and_note


async def ask_blocks(rounds: Sequence[Round], drawing: Drawing, new: list[Response], watch: Watch) -> None:
    """Ask every model block by block, each prompt of one only as long as the watch has not decided it.

    Args:
        new: where the rounds' responses are noted; emptied at each look.
    """
    watch.begin(drawing.questions.examples, (row for asked in rounds for row in _to_come(asked, drawing)))
    undecided: Set[Named] = {(asked.model, prompt) for asked in rounds for prompt in asked.meters}
    for block in drawing.blocks():
        for asked in rounds:
            await asked.ask(drawing.numbers(_prompts(asked, undecided), block))
        still = undecided & watch.undecided(new)
        new.clear()
        for asked in rounds:
            _leave(asked, _prompts(asked, undecided - still), drawing, block.stop)
        undecided = still
    for asked in rounds:
        asked.end()


def _to_come(asked: Round, drawing: Drawing) -> Iterator[Response]:
    nothing = Answered(None, [], Fault(kind=DECIDED, message="not asked yet"))
    return (response(asked.suite, asked.model, question, nothing) for question in drawing.questions)


def _prompts(asked: Round, runs: Set[Named]) -> list[int]:
    """Return which of its prompts, by number, are of these runs."""
    return [number for number, prompt in enumerate(asked.meters) if (asked.model, prompt) in runs]


def _leave(asked: Round, prompts: Sequence[int], drawing: Drawing, after: int) -> None:
    """Put down that the places behind this one are not asked through these prompts."""
    message = f"its rules were decided after {after:,} of {len(drawing):,} examples"
    rest = drawing.numbers(prompts, range(after, len(drawing)))
    asked.leave(rest, Fault(kind=DECIDED, message=message))
