"""`llmops plan`: what a suite's examples can decide, how many its rules need, and what those cost."""

import math
from collections.abc import Sequence

import click
import msgspec

from llmops import jsonl
from llmops.cards.card import load_card
from llmops.cards.examples import read_examples
from llmops.comparing import Settings
from llmops.config import section
from llmops.family import COMPLETE, Claim, among, claims, family
from llmops.numbers import dollars, number
from llmops.places import Places, newest
from llmops.record import Record
from llmops.records import OVERALL, Estimate
from llmops.report import aligned
from llmops.rules import sentence
from llmops.stages import fetch
from llmops.stats.components import example_share
from llmops.stats.interval import z_quantile
from llmops.stats.power import examples_for, examples_for_equivalence, smallest_difference
from llmops.suites import Rule, Suite, load_suite
from llmops.variance import Splits, doubled, paired_sd, split_variance, value_sd

ASSUMED_SD, ASSUMED_PAIRED_SD = 0.5, math.sqrt(0.2)
"""Before there are results: half right, half wrong; and one pair in five that differs."""
ASSUMED = "no results yet: assumes values of 0 and 1, half of them 1, and one pair in five that differs"
UNKNOWN = "–"


class Sight(Record):
    """What one run's examples can see of a metric."""

    suite: str
    model: str
    prompt: str
    metric: str
    n: int
    half_width: float | None
    """Of the interval of the value."""
    value_difference: float | None
    """The smallest distance of the value from a bound that is decided in 80 % of runs."""
    paired_difference: float | None
    """The smallest difference to the baseline that is."""
    twice_examples: float | None = None
    """The smallest difference, or distance where there is no baseline, that twice as many examples see."""
    twice_repeats: float | None = None
    """The same for twice as many answers to each example; None where no example was asked twice."""
    twice_judged: float | None = None
    """The same for twice as many of a jury's votes on each answer; None where no answer has several."""
    example_share: float | None = None
    """The share of a single answer's variance that lies between examples; the rest repeats would average."""
    note: str | None = None


class Need(Record):
    """How many examples a rule needs of one run."""

    suite: str
    model: str
    prompt: str
    rule: str
    n: int
    needed: int | None
    """Examples at which the rule is decided in 80 % of runs, if the truth is what was measured."""
    needed_if_alike: int | None
    """The same for a margin, if run and baseline are truly alike."""
    cost_usd: float | None
    """What the examples beyond the present ones cost; None where the price or the number is not known."""
    note: str | None = None


class Plan(Record):
    """Both, of some suites."""

    sights: list[Sight]
    needs: list[Need]


def main(places: Places, suites: Sequence[str], *, as_json: bool = False) -> None:
    """Print what the suites' newest results can decide, or what they could before there are any."""
    plans = [planned(places, name) for name in suites]
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(plans), indent=1).decode())
        return
    for found in plans:
        click.echo(aligned([SIGHTS, *map(_sight_cells, found.sights)]))
        if found.needs:
            click.echo("\n" + aligned([NEEDS, *map(_need_cells, found.needs)]))
        for note in dict.fromkeys(filter(None, _notes(found))):
            click.echo(note)


def planned(places: Places, name: str) -> Plan:
    """Return what a suite's examples can see, and what its rules need.

    Raises:
        UserError: no such suite, or a file that cannot be read.
    """
    suite = load_suite(places.root, name)
    here = newest(places.root, name).get(name)
    if here is None:
        return Plan([_assumed(places, name, suite)], [])
    estimates = list(jsonl.read(here.suite(name, "estimates.jsonl"), Estimate))
    split = split_variance(here, name, suite.repeats)
    told = [e for e in estimates if e.slice == OVERALL and e.policy is not None and e.low is not None]
    sights = [_sight(e, split) for e in told]
    costs = {(e.model, e.prompt): e for e in sorted(told, key=lambda e: e.n)}  # of the most examples
    found = list(claims(suite, estimates))
    shared = len(family(found)) if section(places.root, "compare", Settings).correction == "holm" else 1
    needs = [
        _need(claim, shared, costs.get((claim.estimate.model, claim.estimate.prompt)))
        for claim in found
        if claim.estimate.method != COMPLETE  # more examples make a count no surer
    ]
    return Plan(sights, needs)


def _assumed(places: Places, name: str, suite: Suite) -> Sight:
    fetch.main(places, [name])
    card = load_card(places.root, suite.dataset)
    n = sum(1 for _ in read_examples(card, places.raw(card.name)))
    confidence = section(places.root, "compare", Settings).confidence
    return Sight(
        suite=name, model="any", prompt="any", metric=suite.metrics[0], n=n,
        half_width=z_quantile(confidence) * ASSUMED_SD / math.sqrt(n),
        value_difference=smallest_difference(ASSUMED_SD, n, confidence),
        paired_difference=smallest_difference(ASSUMED_PAIRED_SD, n, confidence),
        twice_examples=smallest_difference(ASSUMED_PAIRED_SD, 2 * n, confidence),
        note=f"{name}: {ASSUMED}",
    )  # fmt: skip


def _sight(e: Estimate, split: Splits) -> Sight:
    sd, paired = value_sd(e), paired_sd(e)
    own = split.get((e.model, e.prompt, e.metric))
    share = example_share(own.parts) if own else None
    more = doubled(e, split)
    return Sight(
        suite=e.suite, model=e.model, prompt=e.prompt, metric=e.metric, n=e.n,
        half_width=None if sd is None else z_quantile(e.confidence) * sd / math.sqrt(e.n),
        value_difference=None if sd is None else smallest_difference(sd, e.n, e.confidence),
        paired_difference=None if paired is None else smallest_difference(paired, e.n, e.confidence),
        twice_examples=more.examples, twice_repeats=more.repeats, twice_judged=more.judged,
        example_share=share,
        note=_what_buys_more(e, share),
    )  # fmt: skip


def _what_buys_more(e: Estimate, share: float | None) -> str | None:
    """Say what more answers buy: more examples lessen all of the variance, repeats only its second part."""
    if share is None:
        return None
    return (
        f"{e.suite}: {e.metric} of {e.model} · {e.prompt}: twice the examples halve the mean's variance;"
        f" repeats without end leave {share:.0%} of that of one answer each"
    )


def _need(claim: Claim, shared: int, costs: Estimate | None) -> Need:
    rule, e = claim
    needed, alike, note = _needed(rule, e, rule.confidence or among(e.confidence, shared))
    most = max((count for count in (needed, alike) if count is not None), default=None)
    each = costs.cost_usd / costs.n if costs and costs.cost_usd is not None and costs.n else None
    more = None if most is None or each is None else max(0, most - e.n) * each
    return Need(
        suite=e.suite, model=e.model, prompt=e.prompt, rule=sentence(rule), n=e.n, needed=needed,
        needed_if_alike=alike, cost_usd=more, note=note,
    )  # fmt: skip


def _needed(rule: Rule, e: Estimate, confidence: float) -> tuple[int | None, int | None, str | None]:
    """Return the examples if the truth is as measured, those if the runs are alike, and what is unknown."""
    where = f"{e.suite}: {e.model} · {e.prompt}: {sentence(rule)}"
    bound = rule.at_least if rule.at_least is not None else rule.at_most
    if bound is not None:
        if (sd := value_sd(e)) is None or e.value is None:
            return None, None, f"{where}: {e.reason or 'has no interval'}"
        return examples_for(sd, abs(e.value - bound), confidence), None, None
    if (sd := paired_sd(e)) is None or e.difference is None:
        return None, None, f"{where}: {e.reason or 'has no difference to a baseline'}"
    if rule.equivalent_within is not None:
        distance = rule.equivalent_within - abs(e.difference)
        alike = examples_for_equivalence(sd, rule.equivalent_within, confidence)
    else:
        margin = rule.no_worse_by or 0.0
        gain = e.difference if e.higher_is_better else -e.difference
        distance, alike = margin + gain, examples_for(sd, margin, confidence)
    return examples_for(sd, distance, confidence), alike, None


def _notes(found: Plan) -> list[str | None]:
    return [row.note for row in found.sights] + [row.note for row in found.needs]


TWICE = ("twice the examples", "twice the repeats", "twice the votes")
SIGHTS = (
    "suite",
    "model",
    "prompt",
    "metric",
    "n",
    "interval ±",
    "sees a bound",
    "sees a difference",
    *TWICE,
)
NEEDS = ("suite", "model", "prompt", "rule", "n", "needs", "needs if alike", "more cost")


def _sight_cells(row: Sight) -> tuple[str, ...]:
    seen = (
        row.half_width, row.value_difference, row.paired_difference,
        row.twice_examples, row.twice_repeats, row.twice_judged,
    )  # fmt: skip
    return (row.suite, row.model, row.prompt, row.metric, f"{row.n:,}", *map(number, seen))


def _need_cells(row: Need) -> tuple[str, ...]:
    counts = (UNKNOWN if count is None else f"{count:,}" for count in (row.needed, row.needed_if_alike))
    return (row.suite, row.model, row.prompt, row.rule, f"{row.n:,}", *counts, dollars(row.cost_usd))
