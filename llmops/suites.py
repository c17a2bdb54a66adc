"""Suites: what params.yaml says is to be evaluated, and the rules it is held to."""

from pathlib import Path
from typing import Any, Literal

from llmops.config import PARAMS, convert, params
from llmops.errors import UserError
from llmops.places import watched
from llmops.record import Record
from llmops.records import OVERALL

RECORDINGS = ("models",)
"""The folder of recordings: `generate` depends on all of it."""


class Baseline(Record):
    """What differences are taken to: a run of the suite, of an accepted file, or of a git revision."""

    model: str | None = None
    prompt: str | None = None
    file: str | None = None
    revision: str | None = None
    """A commit, tag or branch, whose results DVC holds."""

    @property
    def elsewhere(self) -> str | None:
        """The file or revision that holds it; None where it is a run of the suite itself."""
        return self.file or self.revision


class Rule(Record):
    """One sentence that estimates are held to; exactly one of the four bounds is given."""

    metric: str
    at_least: float | None = None
    at_most: float | None = None
    no_worse_by: float | None = None
    """Non-inferiority margin: passes when the metric is surely not worse than the baseline by more."""
    equivalent_within: float | None = None
    """Equivalence margin: passes when the metric surely differs from the baseline by no more."""
    confidence: float | None = None
    """Its own confidence, which keeps it outside of the family that the other rules are."""
    slice: str = OVERALL
    models: list[str] = []
    """The models it holds for; none named means all."""
    prompts: list[str] = []


MARGINS = ("no_worse_by", "equivalent_within")
"""The bounds of a difference to the baseline."""
BOUNDS = ("at_least", "at_most", *MARGINS)


def margin(rule: Rule) -> float | None:
    """Return the margin of a rule on the difference to the baseline; None of a rule on the value."""
    return rule.equivalent_within if rule.no_worse_by is None else rule.no_worse_by


class Suite(Record):
    """One evaluation: a data set asked through prompts of models, measured and judged."""

    dataset: str
    task: str
    prompts: list[str]
    models: list[str]
    metrics: list[str]
    judges: list[str] = []
    """Those of `judges:` that the answers are shown to."""
    slices: list[str] = []
    only: dict[str, list[str]] = {}
    """Slice → values: the examples to ask; all when empty."""
    unread: Literal["wrong", "excluded", "chance"] = "wrong"
    """What an unread answer counts as; ``chance``: right as often as a guess among the choices."""
    repeats: int = 1
    recording: str | None = None
    """A file of `llmops record` below `models/` that gives the answers; then no model is asked."""
    baseline: Baseline | None = None
    rules: list[Rule] = []


def load_suite(root: Path, name: str) -> Suite:
    """Return one suite of params.yaml, its parts checked against each other.

    Raises:
        UserError: no such suite, an unknown key, or a part that contradicts another.
    """
    raw = _suites(root)
    if name not in raw:
        raise UserError(f"{PARAMS}: suites: no suite {name!r}; suites are {sorted(raw)}")
    where = f"{PARAMS}: suites: {name}"
    suite: Suite = convert(raw[name], Suite, where)
    _check_lists(suite, where)
    _check_baseline(suite, where)
    if suite.recording is not None:
        watched(suite.recording, RECORDINGS, f"{where}: recording")
    for number, rule in enumerate(suite.rules, 1):
        _check_rule(rule, suite, f"{where}: rules[{number}]")
    return suite


def suites_to_run(root: Path) -> list[str]:
    """Return the suites that ``dvc repro`` runs, in order."""
    names: list[str] = convert(params(root).get("run") or [], list[str], f"{PARAMS}: run")
    known = _suites(root)
    for name in names:
        if name not in known:
            raise UserError(f"{PARAMS}: run: no suite {name!r}; suites are {sorted(known)}")
    return names


def _suites(root: Path) -> dict[str, Any]:
    return convert(params(root).get("suites") or {}, dict[str, Any], f"{PARAMS}: suites")


def _check_lists(suite: Suite, where: str) -> None:
    for key in ("prompts", "models", "metrics"):
        values: list[str] = getattr(suite, key)
        if not values:
            raise UserError(f"{where}: {key}: is empty; name at least one")
        if twice := sorted({value for value in values if values.count(value) > 1}):
            raise UserError(f"{where}: {key}: {twice[0]!r} is named twice; name it once")
    if suite.repeats < 1:
        raise UserError(f"{where}: repeats: is {suite.repeats}; must be at least 1")


def _check_baseline(suite: Suite, where: str) -> None:
    baseline = suite.baseline
    if baseline is None:
        return
    if baseline.file and baseline.revision:
        raise UserError(f"{where}: baseline: names a file and a revision; give one of them")
    if baseline.elsewhere:
        return
    for key, value, known in (
        ("model", baseline.model, suite.models),
        ("prompt", baseline.prompt, suite.prompts),
    ):
        if value not in known:
            raise UserError(f"{where}: baseline: {key}: {value!r} is not of this suite; {key}s are {known}")


def _check_rule(rule: Rule, suite: Suite, where: str) -> None:
    given = [key for key in BOUNDS if getattr(rule, key) is not None]
    if len(given) != 1:
        raise UserError(f"{where}: has {given or 'no bound'}; give one of {list(BOUNDS)}")
    _check_numbers(rule, where)
    wide = margin(rule)
    if wide is not None and suite.baseline is None:
        raise UserError(
            f"{where}: {given[0]} needs a baseline; add `baseline: {{model: …, prompt: …}}` to the suite"
        )
    for key, named, known in (
        ("models", rule.models, suite.models),
        ("prompts", rule.prompts, suite.prompts),
    ):
        if strange := [value for value in named if value not in known]:
            raise UserError(f"{where}: {key}: {strange[0]!r} is not of this suite; {key} are {known}")


def _check_numbers(rule: Rule, where: str) -> None:
    for key in BOUNDS:
        bound = getattr(rule, key)
        if bound is not None and key in MARGINS and bound < 0:
            raise UserError(f"{where}: {key}: is {bound}; a margin is 0 or more")
    if rule.confidence is not None and not 0 < rule.confidence < 1:
        raise UserError(f"{where}: confidence: is {rule.confidence:g}; must lie between 0 and 1, as 0.95")
