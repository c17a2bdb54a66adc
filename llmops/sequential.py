"""`llmops run --sequential`: examples are asked in growing blocks until every rule on a mean is decided."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from llmops import jsonl
from llmops.baseline import reference
from llmops.comparing import Settings
from llmops.config import section
from llmops.errors import UserError
from llmops.metrics.catalog import load_metric
from llmops.numbers import dollars, interval
from llmops.places import Places
from llmops.questions import drawing_order, load_job
from llmops.records import Example, Outcome, Response, Score, Verdict
from llmops.rules import sentence
from llmops.scores import measured
from llmops.stages import compare, fetch, gate, generate, judge, publish, score, show, validate
from llmops.stats.betting import METHOD, confidence_sequence
from llmops.stats.interval import Interval
from llmops.suites import Rule, Suite, load_suite, margin
from llmops.summary import Run, Setting, columns, costs, setting
from llmops.totals import total

FIRST, GROWTH = 50, 1.5
"""Examples of the first block, and how many times as many there are after each further one."""


class Claim(NamedTuple):
    """One rule on one run, with what is known of it so far."""

    rule: Rule
    run: Run
    span: Interval
    outcome: Outcome


class Looked(NamedTuple):
    """What a look needs to know besides the scores."""

    suite: Suite
    order: Mapping[str, int]
    """Example id → its place in the order in which examples are drawn."""
    confidence: float
    falling: frozenset[str]
    """Metrics of which less is better."""


def main(places: Places, name: str, only: list[str] | None = None) -> None:
    """Ask a suite block by block, stop when its rules are decided, and do the other stages then.

    The rules that count are those on means of values between 0 and 1; they share the error evenly
    (Bonferroni), and each is decided by a confidence sequence, which may be looked at after every block.

    Raises:
        UserError: no rule is on such a mean, examples share sources, or a value is outside 0 to 1.
    """
    suite = load_suite(places.root, name)
    fetch.main(places, [name])
    validate.main(places, name)
    seed = section(places.root, "generate", generate.Params).seed
    ids = [example.id for example in load_job(places, name, suite).questions.examples]
    looked = Looked(
        suite,
        {ids[number]: place for place, number in enumerate(drawing_order(len(ids), seed))},
        section(places.root, "compare", Settings).confidence,
        frozenset(m for m in suite.metrics if not load_metric(m, places.root).higher_is_better),
    )
    found: list[Claim] = []
    for count in _blocks(len(ids)):
        found = _look(places, name, looked, only, count)
        open_ = sum(claim.outcome == "inconclusive" for claim in found)
        print(
            f"{name}: {count:,} of {len(ids):,} examples: {open_} of {len(found)} undecided", file=sys.stderr
        )
        if not open_:
            break
    _finish(places, name, found)
    print(_told(places, name, count, len(ids)))


def _blocks(count: int) -> Iterator[int]:
    reached = float(min(FIRST, count))
    while reached < count:
        yield round(reached)
        reached *= GROWTH
    yield count


def _look(places: Places, name: str, looked: Looked, only: list[str] | None, count: int) -> list[Claim]:
    generate.main(places, name, only, count)
    score.main(places, name)
    judge.main(places, name)
    examples = list(jsonl.read(places.suite(name, "examples.jsonl"), Example))
    if len({example.cluster or example.id for example in examples}) < len(examples):
        raise UserError(
            f"{name}: examples share sources; the sequential test takes each for a draw of its own"
        )
    scores = measured(places.suite(name))
    about = setting(name, looked.suite, looked.confidence, examples)
    baseline = reference(places.root, looked.suite, scores, examples)
    try:
        return claims(looked, about, scores, baseline.scores if baseline else [])
    except ValueError as problem:
        raise UserError(f"{name}: {problem}; the sequential test needs values between 0 and 1") from None


def claims(looked: Looked, about: Setting, scores: Sequence[Score], baseline: Sequence[Score]) -> list[Claim]:
    """Return what is known of each rule on a mean, for each run that it speaks of.

    Raises:
        UserError: there is none.
        ValueError: a value is outside 0 to 1.
    """
    suite = looked.suite
    ours = columns(scores, suite.unread, {}, chances=about.chances)
    theirs = {
        metric: c.values
        for (_, metric), c in columns(baseline, suite.unread, {}, chances=about.chances).items()
    }
    of = {Run(row.model, row.prompt) for row in baseline if not (suite.baseline and suite.baseline.elsewhere)}
    pairs = [
        (rule, run, column.values, theirs.get(rule.metric, {}) if margin(rule) is not None else None)
        for rule in suite.rules
        for (run, metric), column in ours.items()
        if metric == rule.metric and _speaks_of(rule, run) and not (margin(rule) is not None and run in of)
    ]
    if not pairs:
        raise UserError(f"{about.suite}: no rule is on a mean of values; add one on any of {suite.metrics}")
    alpha = (1 - looked.confidence) / len(pairs)
    return [_claim(looked, about.slices[rule.slice], rule, run, v, b, alpha) for rule, run, v, b in pairs]


def _speaks_of(rule: Rule, run: Run) -> bool:
    return (not rule.models or run.model in rule.models) and (not rule.prompts or run.prompt in rule.prompts)


def _claim(
    looked: Looked, members: Sequence[str], rule: Rule, run: Run,
    values: Mapping[str, float], baseline: Mapping[str, float] | None, alpha: float,
) -> Claim:  # fmt: skip
    ids = sorted((i for i in members if i in values), key=looked.order.__getitem__)
    if baseline is None:
        span = confidence_sequence([values[i] for i in ids], confidence=1 - alpha)
        return Claim(rule, run, span, _of_value(rule, span))
    differences = [values[i] - baseline[i] for i in ids if i in baseline]
    span = confidence_sequence(differences, -1.0, 1.0, 1 - alpha)
    return Claim(rule, run, span, _of_difference(rule, span, rule.metric in looked.falling))


def _of_value(rule: Rule, span: Interval) -> Outcome:
    if span.low is None or span.high is None:
        return "inconclusive"
    if rule.at_least is not None:
        return _decided(span.low >= rule.at_least, span.high < rule.at_least)
    most = rule.at_most if rule.at_most is not None else 1.0
    return _decided(span.high <= most, span.low > most)


def _of_difference(rule: Rule, span: Interval, falling: bool) -> Outcome:
    if span.low is None or span.high is None:
        return "inconclusive"
    low, high = (-span.high, -span.low) if falling else (span.low, span.high)
    wide = margin(rule) or 0.0
    if rule.equivalent_within is not None:
        return _decided(-wide <= low and high <= wide, low > wide or high < -wide)
    return _decided(low >= -wide, high < -wide)


def _decided(passes: bool, fails: bool) -> Outcome:
    return "pass" if passes else "fail" if fails else "inconclusive"


def _finish(places: Places, name: str, found: Sequence[Claim]) -> None:
    """Do the stages behind the scores; the rules on means keep the sequence's verdict."""
    compare.main(places, name)
    gate.main(places, name)
    path = places.suite(name, "verdicts.jsonl")
    decided = {(sentence(c.rule), c.run): c for c in found}
    jsonl.write(
        path, [_verdict(v, decided.get((v.rule, Run(v.model, v.prompt)))) for v in jsonl.read(path, Verdict)]
    )
    publish.main(places, name)
    show.main(places, name, places.out)
    for claim in found:
        where = f"{claim.run}: {sentence(claim.rule)}"
        print(f"{claim.outcome}: {where}: {_reason(claim)}")


def _verdict(verdict: Verdict, claim: Claim | None) -> Verdict:
    if claim is None or verdict.reason.startswith("judge not certified"):
        return verdict
    return replace(verdict, outcome=claim.outcome, reason=_reason(claim))


def _reason(claim: Claim) -> str:
    what = "value" if margin(claim.rule) is None else "difference"
    ends = interval(claim.span.low, claim.span.high)
    return f"the {what} is in {ends} by a {METHOD} of {claim.span.n:,} examples, looked at after every block"


def _told(places: Places, name: str, count: int, every: int) -> str:
    responses = list(jsonl.read(places.suite(name, "responses.jsonl"), Response))
    saved = len(responses) * (every - count) / count
    paid = total(costs(responses).values())
    spared = dollars(None if paid is None else paid * (every - count) / count)
    return (
        f"{name}: stopped after {count:,} of {every:,} examples: {saved:,.0f} answers and {spared} not spent."
        " The table's intervals take the number of examples as fixed; the verdicts above do not."
    )
