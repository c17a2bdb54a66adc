"""An answer to what a judge's prompt may name of it."""

import json
from typing import Any

from llmops.errors import UserError
from llmops.judges.ballot import Ballot
from llmops.judges.fence import fence, fenced
from llmops.judges.judge import Case, Judge, Subject
from llmops.prompts import Prompt
from llmops.records import Example, Response

OPTIONAL = ("reference", "context")
"""What some examples have and others lack."""
FIELDS = ("question", "answer", *OPTIONAL, "verdicts", "criteria", "fence", "bare")
PAIR_FIELDS = ("question", "first", "second", *OPTIONAL, "verdicts", "fence")


def check_fields(prompt: Prompt, pairwise: bool) -> None:
    """Refuse a prompt that names what no judge is given.

    Raises:
        UserError: names the field and those that there are.
    """
    known = PAIR_FIELDS if pairwise else FIELDS
    if strange := sorted(prompt.variables - set(known)):
        raise UserError(f"{prompt.path}: no field {strange[0]!r} for a judge; fields are {list(known)}")


def single(judge: Judge, subject: Subject) -> Case:
    """Return the case of one answer."""
    texts = _texts(subject, {"answer": subject.response.answer or ""})
    bare = {**subject.example.inputs, "answer": subject.response.answer or ""}
    return _case(judge, subject, texts, {"bare": bare})


def pair(judge: Judge, subject: Subject, first: str, second: str) -> Case:
    """Return the case of two answers to one example, in their order."""
    return _case(judge, subject, _texts(subject, {"first": first, "second": second}), {})


def lacks(judge: Judge, case: Case) -> str | None:
    """Return what the prompt names and the example has none of, None when it has all."""
    named = judge.prompt.variables if judge.prompt else frozenset[str]()
    return next(
        (f"the example has no {name}" for name in OPTIONAL if name in named - case.fields.keys()), None
    )


def _texts(subject: Subject, answers: dict[str, str]) -> dict[str, str]:
    example = subject.example
    texts = {"question": question(subject.response, example), **answers}
    if example.target is not None:
        texts["reference"] = example.target
    if example.contexts:
        texts["context"] = "\n\n".join(example.contexts)
    return texts


def _case(judge: Judge, subject: Subject, texts: dict[str, str], more: dict[str, Any]) -> Case:
    mark = fence(texts)
    marked = {name: fenced(name, text, mark) for name, text in texts.items()}
    return Case(subject, {**marked, "fence": mark, **_choices(judge.ballot), **more})


def _choices(ballot: Ballot | None) -> dict[str, Any]:
    return {} if ballot is None else {"verdicts": list(ballot.values), "criteria": list(ballot.criteria)}


def question(response: Response, example: Example) -> str:
    """Return what the application was asked, as the user saw it: no system messages.

    The inputs as JSON where no turn is kept.
    """
    asked = [m for m in (response.turns[0].messages if response.turns else []) if m.role != "system"]
    if not asked:
        return json.dumps(example.inputs, ensure_ascii=False, sort_keys=True)
    return asked[0].content if len(asked) == 1 else "\n".join(f"{m.role}: {m.content}" for m in asked)
