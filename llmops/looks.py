"""Looks at a run while it is asked: which of its models and prompts still wait for a decision."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from llmops.baseline import reference
from llmops.cards.card import load_card
from llmops.cards.examples import labels
from llmops.comparing import Rows, compared, load_plan
from llmops.config import PARAMS
from llmops.drawing import Named
from llmops.errors import UserError
from llmops.family import Claim, claims, decisions
from llmops.numbers import dollars
from llmops.places import Places
from llmops.records import OVERALL, Example, Response, Score
from llmops.rules import judged
from llmops.scoring import scored
from llmops.suites import Suite, margin
from llmops.summary import decided
from llmops.tasks.readers import load_reader

_Key = tuple[str, str, str, int]
"""Model, prompt, example id and repeat of a Response."""


class Saved(NamedTuple):
    """What a run could do without."""

    examples: int
    """Those of the suite."""
    asked: int
    calls: int
    """Questions that were not asked."""
    usd: float | None
    """What they would have cost as the asked ones did; None where any price is not known."""


class Looks:
    """Holds each look's answers to the suite's rules, as `compare` and `gate` do at the end.

    Raises:
        UserError: a suite that cannot be decided while it is asked.
    """

    def __init__(self, places: Places, name: str) -> None:
        where = f"{PARAMS}: suites: {name}"
        plan = load_plan(places.root, name)
        self._bounded = {metric.name for metric in plan.metrics if metric.bounded and not metric.corpus}
        _check(plan.suite, self._bounded, where)
        if whole := next((metric.name for metric in plan.metrics if metric.whole), None):
            raise UserError(
                f"{where}: metrics: {whole!r} measures all answers together; run without --sequential"
            )
        cuts = {rule.slice.partition("=")[0] for rule in plan.suite.rules if rule.slice != OVERALL}
        slices = [key for key in plan.suite.slices if key in cuts]
        self._plan = plan._replace(suite=replace(plan.suite, slices=slices))
        self._reader = load_reader(plan.suite.task, f"{where}: task")
        self._places, self._card = places, load_card(places.root, plan.suite.dataset)
        self._examples: dict[str, Example] = {}
        self._responses: dict[_Key, Response] = {}
        self._scores: dict[_Key, list[Score]] = {}
        self._known: list[str] = []

    def begin(self, examples: Iterable[Example], left: Iterable[Response]) -> None:
        """Take what is to be asked: the examples, and a Response in the place of each answer to come."""
        self._examples = {example.id: example for example in examples}
        if shared := next((e.id for e in self._examples.values() if e.cluster is not None), None):
            raise UserError(
                f"{PARAMS}: suites: {self._plan.name}: example {shared!r} shares a source with others,"
                " which a sequential test cannot take into account; run without --sequential"
            )
        self._known = labels(self._card, self._examples.values()) or []
        self._take(left)

    def undecided(self, new: Sequence[Response]) -> set[Named]:
        """Take answers, and return the runs that have to go on: a baseline as long as any that needs it."""
        self._take(new)
        suite, scores = self._plan.suite, [score for row in self._scores.values() for score in row]
        rows = Rows(list(self._examples.values()), list(self._responses.values()), scores)
        held_to = reference(self._places.root, suite, scores, rows.examples)
        found = list(claims(suite, compared(self._plan, rows, held_to).estimates))
        waiting = [
            claim
            for claim, decision in zip(found, decisions(found), strict=True)
            if claim.rule.metric in self._bounded and decision.outcome == "inconclusive"
        ]
        return {(claim.estimate.model, claim.estimate.prompt) for claim in waiting} | _baselines(
            suite, waiting
        )

    def told(self) -> Iterator[str]:
        """Yield a line for each run: after how many examples it stopped, and what that saved."""
        for (model, prompt), rows in self._by_run().items():
            saved = _saved(rows)
            head = f"{self._plan.name}: {model} · {prompt}"
            if not saved.calls:
                yield f"{head}: asked to the last of {saved.examples:,} examples"
                continue
            yield (
                f"{head}: stopped early by a sequential test after {saved.asked:,} of {saved.examples:,}"
                f" examples, which saved {saved.calls:,} calls, {dollars(saved.usd)}"
            )

    def _by_run(self) -> dict[Named, list[Response]]:
        runs: dict[Named, list[Response]] = {}
        for row in self._responses.values():
            runs.setdefault((row.model, row.prompt), []).append(row)
        return runs

    def _take(self, rows: Iterable[Response]) -> None:
        """Hold the rows with their scores, in the place of those that stood for them."""
        held = list(rows)
        pairs = [(row, self._examples[row.example_id]) for row in held]
        scores = scored(self._reader, self._plan.metrics, pairs, self._known)
        for row in held:
            self._responses[_key(row)] = row
            self._scores[_key(row)] = []
        for score in scores:
            self._scores[score.model, score.prompt, score.example_id, score.repeat].append(score)


def _check(suite: Suite, bounded: set[str], where: str) -> None:
    if not any(rule.metric in bounded for rule in suite.rules):
        raise UserError(
            f"{where}: rules: none is on a metric between 0 and 1; --sequential has nothing to decide"
        )
    for number, rule in enumerate(suite.rules, 1):
        if judged(rule, suite) and rule.confidence is None:
            raise UserError(
                f"{where}: rules[{number}]: {rule.metric!r} is judged after the answers are asked, and counts"
                " among each look's rules; give it a `confidence` of its own, or run without --sequential"
            )


def _key(row: Response) -> _Key:
    return row.model, row.prompt, row.example_id, row.repeat


def _baselines(suite: Suite, waiting: Sequence[Claim]) -> set[Named]:
    chosen = suite.baseline
    if chosen is None or chosen.elsewhere or not any(margin(c.rule) is not None for c in waiting):
        return set()
    return {(chosen.model or "", chosen.prompt or "")}


def _saved(rows: Sequence[Response]) -> Saved:
    asked, left = [r for r in rows if not decided(r)], [r for r in rows if decided(r)]
    costs = [row.cost_usd for row in asked if row.cost_usd is not None]
    each = sum(costs) / len(costs) if len(costs) == len(asked) and costs else None
    ids = {row.example_id for row in rows}
    spared = {row.example_id for row in left}
    return Saved(len(ids), len(ids - spared), len(left), None if each is None else each * len(left))
