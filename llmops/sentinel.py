"""A suite's canaries asked again tonight: did model, judge or scoring move since they were frozen?"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from llmops import jsonl
from llmops.canaries import Canary, canary_file, frozen, hold_to_prompts, read_canaries
from llmops.config import PARAMS, section
from llmops.errors import UserError
from llmops.movement import Answers, Chances, evidence, movements, rescored, verdicts
from llmops.places import TRYOUTS, Places
from llmops.record import Record
from llmops.records import Example, Outcome, Response, Score, Verdict
from llmops.rules import worst
from llmops.stages import fetch, generate, judge, score, validate
from llmops.stages.gate import EXIT_CODES
from llmops.summary import Run

JUDGED = "judged.jsonl"

Means = dict[Outcome, list[Verdict]]


class Settings(Record):
    """How many canaries there are, and how often a night may raise a false alarm."""

    canaries: int = 50
    """Examples that ``--freeze`` draws at random."""
    alpha: float = 0.01
    """Share of nights on which nothing moved that raise an alarm nevertheless, at most."""
    resamples: int = 10_000
    seed: int = 0


class Night(NamedTuple):
    """What was frozen, how that is scored now, and tonight's answers."""

    suite: str
    at: str
    then: Answers
    again: Answers
    now: Answers
    lost: int
    """Answers of tonight that are faults of the world."""


def freeze(places: Places, suite: str, at: datetime) -> None:
    """Ask a random sample of the suite's examples afresh, and keep examples, answers and scores.

    Raises:
        UserError: nothing was answered, or what ``generate`` and ``score`` refuse.
    """
    settings = _settings(places)
    asked = _asking(places, "frozen", at)
    fetch.main(asked, [suite])
    validate.main(asked, suite)
    generate.main(asked, suite, None, settings.canaries)
    _score(asked, suite)
    found = _answers(asked, suite)
    examples = jsonl.read(asked.suite(suite, "examples.jsonl"), Example)
    rows = list(frozen(at.isoformat(timespec="seconds"), examples, *found))
    if not rows:
        raise UserError(
            f"{suite}: none of {settings.canaries} canaries was answered; see {asked.suite(suite)}"
        )
    path = canary_file(places.root, suite)
    jsonl.write(path, rows)
    print(f"{path}: {len(rows)} canaries with {sum(len(row.responses) for row in rows)} answers; commit it")


def watch(places: Places, suite: str, at: datetime) -> int:
    """Ask the canaries again, afresh, write ``verdicts.jsonl`` and ``sentinel.md``; return the exit code.

    0: nothing moved, 1: something did, 3: not enough data to tell. The same night's answers are asked
    for once, in a store of that day's own.
    """
    settings = _settings(places)
    kept = read_canaries(places.root, suite)
    night = _night(places, suite, kept, at)
    chances = Chances(settings.alpha, settings.resamples, settings.seed)
    found = movements(night.then, night.again, night.now, chances)
    judged = [*verdicts(suite, found, settings.alpha), *_scoring(night)]
    folder = _asking(places, "tonight", at)
    jsonl.write(folder.suite(suite, "verdicts.jsonl"), judged)
    page = told(night, judged, settings.alpha)
    jsonl.write_text(folder.suite(suite, "sentinel.md"), page)
    print(page, end="")
    return exit_code(judged)


def exit_code(found: Sequence[Verdict]) -> int:
    """Return 1 when anything moved, 3 when it cannot be told of something, else 0."""
    return EXIT_CODES[worst(verdict.outcome for verdict in found) or "inconclusive"]


def _settings(places: Places) -> Settings:
    settings = section(places.root, "sentinel", Settings)
    if not 0 < settings.alpha < 1:
        raise UserError(f"{PARAMS}: sentinel: alpha: is {settings.alpha!r}; it must lie between 0 and 1")
    if settings.canaries < 1 or settings.resamples < 1:
        raise UserError(f"{PARAMS}: sentinel: canaries and resamples must be at least 1")
    return settings


def _asking(places: Places, what: str, at: datetime) -> Places:
    """Return the places of one asking, whose store holds no answer of another day or purpose."""
    return Places(places.root, f"{TRYOUTS}/sentinel/{what}", f"sentinel-{what}-{at:%Y-%m-%d}.db")


def _night(places: Places, suite: str, kept: Sequence[Canary], at: datetime) -> Night:
    examples = [canary.example for canary in kept]
    then = Answers(
        [row for canary in kept for row in canary.responses],
        [row for canary in kept for row in canary.scores],
        [row for canary in kept for row in canary.judged],
    )
    tonight = _asking(places, "tonight", at)
    jsonl.write(tonight.suite(suite, "examples.jsonl"), examples)
    fetch.main(tonight, [suite])
    generate.main(tonight, suite)
    hold_to_prompts(suite, kept, jsonl.read(tonight.suite(suite, "responses.jsonl"), Response))
    anchors = _asking(places, "anchors", at)
    jsonl.write(anchors.suite(suite, "examples.jsonl"), examples)
    jsonl.write(anchors.suite(suite, "responses.jsonl"), then.responses)
    for asked in (anchors, tonight):
        _score(asked, suite)
    now = _answers(tonight, suite)
    lost = sum(response.error is not None for response in now.responses)
    return Night(suite, kept[0].at, then, _answers(anchors, suite), now, lost)


def _score(asked: Places, suite: str) -> None:
    score.main(asked, suite)
    judge.main(asked, suite)


def _answers(asked: Places, suite: str) -> Answers:
    return Answers(
        list(jsonl.read(asked.suite(suite, "responses.jsonl"), Response)),
        list(jsonl.read(asked.suite(suite, "scores.jsonl"), Score)),
        list(jsonl.read(asked.suite(suite, JUDGED), Score)),
    )


def _scoring(night: Night) -> list[Verdict]:
    """Return a Verdict on each run's metrics, which know no chance: one other value is a move."""
    runs = dict.fromkeys(Run(s.model, s.prompt) for s in night.again.scores)
    found = []
    for run in runs:
        changed, scored = rescored(run, night.then.scores, night.again.scores)
        what = f"{changed} of {scored} scores of the frozen answers are other now"
        outcome: Outcome = "fail" if changed else "pass"
        rule = "scoring: as when frozen"
        found.append(Verdict(night.suite, run.model, run.prompt, "scores", rule, outcome, what))
    return found


OF_FROZEN = ", judged anew"
"""Behind a judge's metric of the frozen answers, in place of tonight's."""
MOVED = {
    "model": "the model moved",
    "judge": "the judge moved",
    "scoring": "the scoring moved",
}


def told(night: Night, found: Sequence[Verdict], alpha: float) -> str:
    """Return a paragraph for each run: what moved, by which signs, and what servers say of themselves."""
    runs = dict.fromkeys(Run(v.model, v.prompt) for v in found)
    parts = [_paragraph(night, run, [v for v in found if Run(v.model, v.prompt) == run]) for run in runs]
    if night.lost:
        parts.append(f"{night.lost} questions of tonight were not answered, and are left out.")
    nights = f"at most one night in {1 / alpha:,.0f} on which nothing moved raises an alarm"
    return "\n\n".join([*parts, f"Frozen {night.at}; {len(found)} tests; {nights}."]) + "\n"


def _paragraph(night: Night, run: Run, found: Sequence[Verdict]) -> str:
    by: Means = {outcome: [v for v in found if v.outcome == outcome] for outcome in EXIT_CODES}
    moved = Counter(v.rule.partition(":")[0] for v in by["fail"])
    if moved:
        heads = [words for of, words in MOVED.items() if moved[of]]
    else:
        heads = ["not enough data to tell"] if by["inconclusive"] else ["nothing moved"]
    shown = by["fail"] or by["inconclusive"] or by["pass"]
    signs = [f"{v.metric}{OF_FROZEN if v.rule.startswith('judge') else ''}: {v.reason}" for v in shown]
    said = evidence(run, night.then.responses, night.now.responses)
    return f"{night.suite}: {run}: {' and '.join(heads)}. " + ". ".join([*signs, *said]) + "."
