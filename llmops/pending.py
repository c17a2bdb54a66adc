"""The requests of a job, or of a judge's hearing, that no stored answer saves."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from llmops.models.earlier import Earlier, wire_bytes
from llmops.models.model import Model, request_key
from llmops.models.store.store import SCHEME, open_store
from llmops.prompts import Prompt
from llmops.questions import Asked, Begun
from llmops.replies import Reply, Request
from llmops.tasks.answering import next_request

BLOCK = 256
"""Keys that are looked up in the store at once."""


class Pending(NamedTuple):
    """What is to be asked through one prompt.

    Attributes:
        questions: how many there are, those that are answered included.
        unanswered: how many of them have a request to be sent.
        requests: those to be sent, each once.
        known: what the stored ones took.
        guessed: how many answers that are not there yet stand in the requests.
        texts: what stands in their place.
    """

    prompt: Prompt
    questions: int
    unanswered: int
    requests: list[Request]
    known: list[Earlier]
    guessed: int = 0
    texts: Sequence[str] = ()


Likely = Callable[[Pending], Sequence[str]]
"""What the first turn of a prompt's conversations shows → texts like the answers that are to come."""


def pending(job: Asked, model: Model, store: Path, likely: Likely | None = None) -> Iterator[Pending]:
    """Yield, for each prompt, what a run would send; a model whose answers exist is sent nothing.

    A conversation goes on after each answer, so a likely one stands in for one that is not there.

    Args:
        likely: None where it hangs on what an answer says whether more is asked: then only what follows
            a stored one is told.

    Raises:
        UserError: the store cannot be read.
    """
    sent: set[str] = set()
    for _, questions in groupby(job.questions, key=lambda question: question.prompt.name):
        asked = list(questions)
        begun = [job.begin(question) for question in asked]
        if model.stored:
            yield _Turns(asked[0].prompt, model, store, sent).taken(begun, likely)
        else:
            yield Pending(asked[0].prompt, len(begun), 0, [], [])


class _Turns:
    """The requests of one prompt's questions, turn by turn.

    Args:
        sent: the keys of what was to be sent before, which is added to; identical requests are asked once.
    """

    def __init__(self, prompt: Prompt, model: Model, store: Path, sent: set[str]) -> None:
        self._prompt, self._model, self._store, self._sent = prompt, model, store, sent
        self._known: dict[str, Earlier] = {}
        self._fresh: list[Request] = []
        self._unanswered: set[int] = set()
        self._texts: Sequence[str] = ()
        self._stand_ins = Counter[int]()
        self._guessed = 0

    def taken(self, begun: Sequence[Begun], likely: Likely | None) -> Pending:
        """Return what the questions have sent, to their last turns."""
        asked = dict(enumerate(begun))
        while asked:
            keys = {number: request_key(self._model, request) for number, (_, request) in asked.items()}
            stored = _stored(self._store, list(keys.values()))
            for number, key in keys.items():
                self._note(number, key, asked[number][1], stored.get(key))
            if likely is not None and self._prompt.asking and not self._texts:
                self._texts = likely(self._pending(len(begun)))
            replies = {n: stored.get(key) or self._stand_in(n, key) for n, key in keys.items()}
            asked = dict(_next_turn(asked, replies))
        return self._pending(len(begun))

    def _note(self, number: int, key: str, request: Request, reply: Reply | None) -> None:
        if reply is not None:
            self._known[key] = Earlier(wire_bytes(self._model.wire(request)), reply)
        elif key not in self._sent:
            self._sent.add(key)
            self._fresh.append(request)
            self._unanswered.add(number)
            self._guessed += self._stand_ins[number]

    def _stand_in(self, number: int, key: str) -> Reply | None:
        """Return a reply of one of the texts, always the same to a request; None without any."""
        if not self._texts:
            return None
        self._stand_ins[number] += 1
        return Reply(text=self._texts[int(key[:8], 16) % len(self._texts)])

    def _pending(self, questions: int) -> Pending:
        known, fresh = list(self._known.values()), list(self._fresh)
        return Pending(
            self._prompt, questions, len(self._unanswered), fresh, known, self._guessed, self._texts
        )


def _next_turn(
    asked: Mapping[int, Begun], replies: Mapping[int, Reply | None]
) -> Iterator[tuple[int, Begun]]:
    for number, (asking, _) in asked.items():
        reply = replies[number]
        request = None if reply is None else next_request(asking, reply)
        if request is not None:
            yield number, (asking, request)


def _stored(path: Path, keys: Sequence[str]) -> dict[str, Reply]:
    if not path.exists():
        return {}
    with closing(open_store(f"{SCHEME}{path}")) as store:
        blocks = (keys[start : start + BLOCK] for start in range(0, len(keys), BLOCK))
        return {key: reply for block in blocks for key, reply in store.get_many(block).items()}
