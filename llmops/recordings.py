"""A run's answers to a recording, and a recording to the same run again."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple, TypeVar

from llmops import jsonl
from llmops.config import PARAMS
from llmops.errors import UserError
from llmops.heard import Heard, heard_again
from llmops.models.catalog import closed_model
from llmops.models.chosen import chosen_models
from llmops.models.model import Model, request_key
from llmops.models.recording import Entry, Header, Recording, write_recording
from llmops.models.store.store import STORE, Store, open_store
from llmops.models.stored import KEPT_FAULTS
from llmops.places import OUTS, TRYOUTS, Places, state_folder
from llmops.prompts import Prompt
from llmops.questions import Job, Question, load_job
from llmops.records import DECIDED, Example, Response
from llmops.replies import Reply, Request
from llmops.suites import load_suite
from llmops.tasks.answering import next_request

T = TypeVar("T")

FILE, JUDGEMENTS = "responses.jsonl", "judgements.jsonl"
TURNS = "it has another number of turns now"


class _Run(NamedTuple):
    """What a run's responses are traced back through: their questions, models and stored replies."""

    job: Job
    examples: dict[str, Example]
    prompts: dict[str, Prompt]
    models: dict[str, Model]
    store: Store


def record(root: Path, suite: str, file: Path, out: str | None = None) -> None:
    """Write everything that the suite's newest run was answered into ``file``.

    Args:
        out: the folder of the run, ``results`` or ``runs``; the newer of both when None.

    Raises:
        UserError: no such run, or the store holds other answers: settings, prompts or data were edited
            since.
    """
    places = _newest(root, suite, [out] if out else OUTS)
    with closing(open_store(f"sqlite:///{state_folder(root) / STORE}")) as store:
        run = _traced(places, suite, store)
        path = places.suite(suite, FILE)
        responses = list(jsonl.read(path, Response))
        heard = heard_again(places, suite, store)
        header = _header(run, path, responses, heard)
        count = write_recording(file, header, [*_entries(run, responses), *heard.entries])
    print(f"{file}: {count:,} replies, on which {len(responses):,} responses of {path} rest{_beside(heard)}")


def replay(root: Path, file: Path, again: Callable[[Places, Header], None]) -> int:
    """Do a recorded run again into ``runs/``, and return the exit code: 0 if its bytes are the same.

    Args:
        again: does the stages of the suite that the header names, as it says.
    """
    header, places = Recording(file).header, Places(root, TRYOUTS)
    again(places, header)
    files = {FILE: header.responses}
    if header.judgements is not None:
        files[JUDGEMENTS] = header.judgements
    recorded = {places.suite(header.suite, name): sha256 for name, sha256 in files.items()}
    return max(_held(path, sha256) for path, sha256 in recorded.items())


def _held(path: Path, sha256: str) -> int:
    """Say whether a file is that of the recorded run, and return 0 if it is."""
    if _sha256(path) == sha256:
        print(f"equal: {path} is byte for byte that of the recorded run")
        return 0
    print(f"different: {path} is not that of the recorded run; its replies are, so code or settings changed")
    return 1


def _newest(root: Path, suite: str, outs: list[str] | tuple[str, ...]) -> Places:
    found = [Places(root, out) for out in outs if Places(root, out).suite(suite, FILE).is_file()]
    if not found:
        raise UserError(f"{suite}: no {FILE} in {list(outs)}; `llmops run {suite}` makes it")
    return max(found, key=lambda places: places.suite(suite, FILE).stat().st_mtime)


def _traced(places: Places, name: str, store: Store) -> _Run:
    suite = load_suite(places.root, name)
    job = load_job(places, name, suite)
    specs = chosen_models(places, suite)
    return _Run(
        job,
        {example.id: example for example in job.questions.examples},
        {prompt.name: prompt for prompt in job.questions.prompts},
        {model: closed_model(model, spec, places) for model, spec in specs.items()},
        store,
    )


def _header(run: _Run, path: Path, responses: list[Response], heard: Heard) -> Header:
    answered = dict.fromkeys(response.model for response in responses)
    models = {name: _of(run.models, name, "model").identity for name in answered}
    judgements = path.with_name(JUDGEMENTS)
    return Header(
        suite=run.job.suite,
        models={**heard.models, **models},
        asked=list(answered),
        examples=len({response.example_id for response in responses}),
        responses=_sha256(path),
        sequential=any(response.drawn is not None for response in responses),
        judges=heard.judges,
        judgements=_sha256(judgements) if heard.judges else None,
    )


def _beside(heard: Heard) -> str:
    return f", and what the judges {', '.join(heard.judges)} said" if heard.judges else ""


def _entries(run: _Run, responses: list[Response]) -> Iterator[Entry]:
    """Yield each request with its reply in the order of the responses, the same one once."""
    told: dict[str, Reply] = {}
    for response in responses:
        model = _of(run.models, response.model, "model")
        if not model.stored or _decided(response):
            continue
        for request, reply in _turns(run, response):
            key = request_key(model, request)
            _check_stored(run.store, key, reply, response)
            if told.setdefault(key, reply) is not reply and told[key] == reply:
                continue
            yield Entry(
                key, model.name, response.prompt, response.example_id, response.repeat,
                model.wire(request), reply,
            )  # fmt: skip


def _decided(response: Response) -> bool:
    """Whether nobody wanted to ask it any more, which a replay finds out anew."""
    return response.error is not None and response.error.kind == DECIDED


def _turns(run: _Run, response: Response) -> Iterator[tuple[Request, Reply]]:
    """Yield the requests that the response rests on, made anew, each with the reply that it got."""
    example = _of(run.examples, response.example_id, "example")
    prompt = _of(run.prompts, response.prompt, "prompt")
    asking, first = run.job.begin(Question(example, prompt, response.repeat))
    request: Request | None = first
    for turn in response.turns:
        if request is None:
            raise _edited(response, TURNS)
        if request.messages != turn.messages:
            raise _edited(response, "its messages are others now")
        yield request, turn.reply
        request = next_request(asking, turn.reply)
    if request is not None:
        if response.error is None:
            raise _edited(response, TURNS)
        yield request, Reply(error=response.error)  # never asked: the budget did not reach


def _check_stored(store: Store, key: str, reply: Reply, response: Response) -> None:
    """Hold a reply against the store, which alone knows with what settings it was asked."""
    is_kept = reply.error is None or reply.error.kind in KEPT_FAULTS
    if is_kept and store.get(key) != reply:
        raise _edited(response, "the response store holds no such answer under today's settings")


def _edited(response: Response, what: str) -> UserError:
    where = f"{response.suite}: {response.model} · {response.prompt}: {response.example_id}"
    return UserError(
        f"{where}: {what}; take back what was edited since the run, or do it anew with"
        f" `llmops run {response.suite}`"
    )


def _of(known: dict[str, T], name: str, kind: str) -> T:
    if name not in known:
        raise UserError(f"{PARAMS}: the run has a {kind} {name!r}, the suite has none now; run it anew")
    return known[name]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
