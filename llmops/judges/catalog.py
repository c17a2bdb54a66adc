"""The kinds of judge there are."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import msgspec

from llmops.config import PARAMS, convert, params
from llmops.errors import UserError
from llmops.judges.ballot import ballot
from llmops.judges.cases import check_fields
from llmops.judges.grading import graded
from llmops.judges.identity import asked_identity, digest
from llmops.judges.judge import Bench, Judge
from llmops.judges.jury import deliberated
from llmops.judges.own import reckoned
from llmops.judges.pairwise import paired
from llmops.judges.specs import (
    Asked,
    JudgeSpec,
    JurySpec,
    PairwiseSpec,
    PythonJudgeSpec,
    ReferenceSpec,
    RubricSpec,
)
from llmops.metrics.own import own_function
from llmops.models.catalog import closed_model, parse_spec
from llmops.models.chosen import watch_files
from llmops.models.specs import ModelSpec
from llmops.places import Places, watched
from llmops.prompts import load_prompt
from llmops.records import Judgement


class Kind(NamedTuple):
    """One kind of judge."""

    spec: Any
    """The record of its settings."""
    sit: Callable[[Judge, Bench], Awaitable[list[Judgement]]]
    """Judges everything on the bench."""


KINDS: dict[str, Kind] = {
    "rubric": Kind(RubricSpec, graded),
    "reference": Kind(ReferenceSpec, graded),
    "pairwise": Kind(PairwiseSpec, paired),
    "jury": Kind(JurySpec, deliberated),
    "python": Kind(PythonJudgeSpec, reckoned),
}


def load_judge(places: Places, name: str, within: tuple[str, ...] = ()) -> Judge:
    """Return the judge that params.yaml calls so; nothing is asked and no server is needed.

    Args:
        within: the juries that it was named by.

    Raises:
        UserError: no such judge, a wrong setting, a file that is missing, or a jury within itself.
    """
    where = f"{PARAMS}: judges: {name}"
    spec = judge_spec(name, params(places.root).get("judges") or {})
    if name in within:
        raise UserError(f"{where}: is a member of itself; name other judges")
    sit = KINDS[str(type(spec).__struct_config__.tag)].sit
    if isinstance(spec, Asked):
        return _asked(places, Judge(name, spec, sit, ""), where)
    if isinstance(spec, JurySpec):
        return Judge(name, spec, sit, _jury_identity(places, spec, (*within, name), where))
    return Judge(name, spec, sit, _own_identity(places, spec, where))


def judge_spec(name: str, known: Any) -> JudgeSpec:
    """Return a judge's settings, of those that params.yaml gives.

    Raises:
        UserError: no such judge, or a wrong setting.
    """
    if not isinstance(known, dict):
        raise UserError(f"{PARAMS}: judges: must be a mapping of name → settings")
    where = f"{PARAMS}: judges: {name}"
    if name not in known:
        raise UserError(f"{PARAMS}: judges: no judge {name!r}; judges are {sorted(known)}")
    raw = known[name]
    kind = raw.get("kind") if isinstance(raw, dict) else None
    if kind not in KINDS:
        raise UserError(f"{where}: kind: is {kind!r}; must be one of {list(KINDS)}")
    spec: JudgeSpec = convert(raw, KINDS[kind].spec, where)
    return spec


def judge_model(places: Places, judge: Judge) -> ModelSpec:
    """Return the settings of the model that a judge asks.

    Raises:
        UserError: params.yaml names no such model, or DVC would not see an edit of its file.
    """
    assert isinstance(judge.spec, Asked)  # noqa: S101 - for mypy
    known = params(places.root).get("models") or {}
    name = judge.spec.model
    if name not in known:
        raise UserError(f"{PARAMS}: judges: {judge.name}: no model {name!r}; models are {sorted(known)}")
    spec = parse_spec(name, known[name])
    watch_files(name, spec)
    return spec


def _asked(places: Places, judge: Judge, where: str) -> Judge:
    spec = judge.spec
    assert isinstance(spec, Asked)  # noqa: S101 - for mypy
    prompt = load_prompt(places.root, spec.prompt)
    check_fields(prompt, pairwise=isinstance(spec, PairwiseSpec))
    model = closed_model(spec.model, judge_model(places, judge), places)
    found = judge._replace(prompt=prompt, ballot=ballot(spec, where))
    return found._replace(identity=asked_identity(spec, model, prompt))


def _jury_identity(places: Places, spec: JurySpec, within: tuple[str, ...], where: str) -> str:
    if len(spec.judges) < 2 or len(set(spec.judges)) < len(spec.judges):
        raise UserError(f"{where}: judges: are {spec.judges}; name at least two, each once")
    members = [load_judge(places, name, within).identity for name in spec.judges]
    return digest({"vote": spec.vote, "judges": members})


def _own_identity(places: Places, spec: PythonJudgeSpec, where: str) -> str:
    watched(spec.file, ("apps",), f"{where}: file")
    _, version = own_function(f"{spec.file}:{spec.function}", places.root)
    return digest({"file": version, **msgspec.to_builtins(spec)})
