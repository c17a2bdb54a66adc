"""Several recordings of the same questions as one, with names that params.yaml can take."""

import re
from collections.abc import Container, Iterable, Iterator, Sequence
from itertools import chain, count
from pathlib import Path

import msgspec

from llmops.errors import UserError
from llmops.importers.recording import Answer, Question, Recording


def merged(
    recordings: Sequence[Recording], files: Sequence[Path], name: str | None, taken: Iterable[str]
) -> Recording:
    """Return one recording of all models; a model that comes in two files becomes two.

    Args:
        files: where each recording was read.
        name: what to call it; as the first is called when None.
        taken: names that models may not have.

    Raises:
        UserError: two files ask different questions under one id, or a name has no letter.
    """
    questions: dict[str, tuple[Question, Path]] = {}
    for recording, file in zip(recordings, files, strict=True):
        for question in recording.questions:
            known, there = questions.setdefault(question.id, (question, file))
            if known != question:
                raise UserError(f"{file}: question {question.id!r} is not that of {there}; import them apart")
    return recordings[0]._replace(
        name=plain(name or recordings[0].name),
        questions=[question for question, _ in questions.values()],
        answers=list(_renamed(recordings, taken)),
        labels=max((recording.labels for recording in recordings), key=len),
        notes=list(dict.fromkeys(note for recording in recordings for note in recording.notes)),
    )


def plain(name: str) -> str:
    """Return the name as a file or a key may have it.

    >>> plain("openai:gpt-5 (미니)/v1")
    'openai-gpt-5-미니-v1'
    """
    found = re.sub(r"[^\w.]+", "-", name).strip("-.")
    if not found:
        raise UserError(f"import: {name!r} is no name; give `--name` letters or digits")
    return found


def _renamed(recordings: Sequence[Recording], taken: Iterable[str]) -> Iterator[Answer]:
    known = set(taken)
    names: dict[tuple[int, str], str] = {}
    for number, recording in enumerate(recordings):
        for answer in recording.answers:
            key = number, answer.model
            if key not in names:
                names[key] = _free(plain(answer.model), known)
                known.add(names[key])
            yield msgspec.structs.replace(answer, model=names[key])


def _free(name: str, taken: Container[str]) -> str:
    numbered = (f"{name}-{number}" for number in count(2))
    return next(found for found in chain([name], numbered) if found not in taken)
