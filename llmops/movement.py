"""Frozen answers and tonight's to Verdicts: did the model move, the judge, the scoring, or nothing?"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from llmops.metrics.behaviour import refuses
from llmops.records import Outcome, Response, Score, Verdict
from llmops.stats.moved import Shift, least_p, reform, shift
from llmops.stats.multiple import holm
from llmops.summary import Run

LONGEST_WORD = 24
"""Characters of a word that a form is told by."""
_UNSAFE = re.compile(r"[^\w,:;!?'\".\[\]-]|\.(?=\w)|:(?=\W)")
Of = Literal["model", "judge", "scoring"]
"""What a movement would be of."""


class Trait(NamedTuple):
    """Something to measure of an answer that is known before anything is known of its being right."""

    value: Callable[[str], float]
    told: Callable[[float], str]
    """A mean of the values, as a person reads it."""


class Answers(NamedTuple):
    """Answers, and what metrics and judges made of them."""

    responses: Sequence[Response]
    scores: Sequence[Score]
    judged: Sequence[Score] = ()


class Chances(NamedTuple):
    """How often a false alarm is taken into account, and how p-values are drawn."""

    alpha: float = 0.01
    resamples: int = 10_000
    seed: int = 0


class Movement(NamedTuple):
    """One test: what it is of, and how it came out."""

    run: Run
    of: Of
    name: str
    shift: Shift
    least_p: float
    told: Callable[[float], str]


def _share(value: float) -> str:
    return f"{value:.0%}"


def _number(value: float) -> str:
    return f"{value:.3g}"


def _counted(what: str) -> Callable[[float], str]:
    return lambda value: f"{math.expm1(value):,.0f} {what}"


TRAITS: dict[str, Trait] = {
    "length": Trait(lambda answer: math.log1p(len(answer)), _counted("characters")),
    "refusal": Trait(lambda answer: float(refuses(answer)), _share),
}
"""They go before being right: a model that moved shows it in how it answers, in far fewer examples.

Lengths are compared by their logarithm, so that one long answer does not outweigh the rest.
"""


def form(answer: str) -> frozenset[str]:
    """Return how an answer begins, how it ends, and about how many lines it has."""
    words = answer.casefold().split() or [""]
    lines = 2 ** math.ceil(math.log2(max(1, len(answer.splitlines()))))
    return frozenset(
        (f"begins with {_word(words[0])}", f"ends with {_word(words[-1])}", f"up to {lines} lines")
    )


def _word(text: str) -> str:
    """Return a word in quotes, without what a terminal or Markdown would obey."""
    plain = _UNSAFE.sub("·", text)
    return f"“{plain if len(plain) <= LONGEST_WORD else plain[:LONGEST_WORD] + '…'}”"


Key = tuple[str, str]
"""Example id, and for a judge the repeat that was judged; else empty."""
_Values = Mapping[Key, list[float]]
_Forms = Mapping[str, list[frozenset[str]]]


def movements(then: Answers, again: Answers, now: Answers, chances: Chances) -> list[Movement]:
    """Return every test of every run that was asked then and now.

    Args:
        then: what was frozen.
        again: the frozen answers as they are scored and judged now. A model's values are compared
            with these, so that a moved judge is not taken for a moved model.
        now: tonight's answers.
    """
    asked = {Run(r.model, r.prompt) for r in now.responses}
    runs = [run for run in dict.fromkeys(Run(r.model, r.prompt) for r in then.responses) if run in asked]
    return [found for run in runs for found in _of_run(run, then, again, now, chances)]


def _of_run(run: Run, then: Answers, again: Answers, now: Answers, chances: Chances) -> Iterator[Movement]:
    for name, trait in TRAITS.items():
        before, after = (_traits(run, answers.responses, trait) for answers in (then, now))
        yield _tested(run, "model", name, (before, after), chances)._replace(told=trait.told)
    yield _reformed(run, (_forms(run, then.responses), _forms(run, now.responses)), chances)
    before, after = (_unread(run, answers.scores) for answers in (again, now))
    yield _tested(run, "model", "unread", (before, after), chances)._replace(told=_share)
    for metric in _metrics(run, [*again.scores, *again.judged]):
        sides = [_values(run, metric, [*answers.scores, *answers.judged]) for answers in (again, now)]
        yield _tested(run, "model", metric, (sides[0], sides[1]), chances)
    for metric in _metrics(run, then.judged):
        sides = [_values(run, metric, answers.judged, each=True) for answers in (then, again)]
        yield _tested(run, "judge", metric, (sides[0], sides[1]), chances)


def _tested(run: Run, of: Of, name: str, sides: tuple[_Values, _Values], chances: Chances) -> Movement:
    before, after = sides
    both = [key for key in before if key in after]
    found = shift([before[k] for k in both], [after[k] for k in both], chances.seed, chances.resamples)
    least = least_p([(len(before[k]), len(after[k])) for k in both], chances.resamples)
    return Movement(run, of, name, found, least, _number)


def _reformed(run: Run, sides: tuple[_Forms, _Forms], chances: Chances) -> Movement:
    before, after = sides
    both = [key for key in before if key in after]
    found = reform([before[k] for k in both], [after[k] for k in both], chances.seed, chances.resamples)
    least = least_p([(len(before[k]), len(after[k])) for k in both], chances.resamples)
    return Movement(
        run, "model", "form", found.shift, least, lambda share: f"{found.feature} {_share(share)}"
    )


def _forms(run: Run, responses: Iterable[Response]) -> _Forms:
    found: dict[str, list[frozenset[str]]] = defaultdict(list)
    for response in responses:
        if Run(response.model, response.prompt) == run and response.error is None:
            found[response.example_id].append(form(response.answer or ""))
    return found


def _traits(run: Run, responses: Iterable[Response], trait: Trait) -> _Values:
    found: dict[Key, list[float]] = defaultdict(list)
    for response in responses:
        if Run(response.model, response.prompt) == run and response.error is None:
            found[response.example_id, ""].append(trait.value(response.answer or ""))
    return found


def _metrics(run: Run, scores: Iterable[Score]) -> list[str]:
    return list(dict.fromkeys(s.metric for s in scores if Run(s.model, s.prompt) == run))


def _unread(run: Run, scores: Sequence[Score]) -> _Values:
    found: dict[Key, list[float]] = defaultdict(list)
    first = next(iter(_metrics(run, scores)), None)
    for score in scores:
        is_first = Run(score.model, score.prompt) == run and score.metric == first
        if is_first and score.missing in (None, "unread", "no_target"):
            found[score.example_id, ""].append(float(score.missing == "unread"))
    return found


def _values(run: Run, metric: str, scores: Iterable[Score], *, each: bool = False) -> _Values:
    """Return the metric's values by example, or ``each`` response's by itself."""
    found: dict[Key, list[float]] = defaultdict(list)
    for score in scores:
        if Run(score.model, score.prompt) == run and score.metric == metric and score.value is not None:
            found[score.example_id, str(score.repeat) if each else ""].append(score.value)
    return found


def verdicts(suite: str, found: Sequence[Movement], alpha: float) -> list[Verdict]:
    """Return a Verdict for each test: ``fail`` moved, ``pass`` no sign of it, ``inconclusive`` too few.

    All tests are one family: where nothing moved, any fails in one of 1/alpha nights at most (Holm).
    """
    adjusted = iter(holm([m.shift.p_value for m in found if m.shift.p_value is not None]))
    return [
        _verdict(suite, m, None if m.shift.p_value is None else next(adjusted), alpha, len(found))
        for m in found
    ]


def _verdict(suite: str, m: Movement, adjusted: float | None, alpha: float, tests: int) -> Verdict:
    outcome, reason = _outcome(m, adjusted, alpha, tests)
    rule = f"{m.of}: {m.name} as when frozen"
    return Verdict(suite, m.run.model, m.run.prompt, m.name, rule, outcome, reason)


def _outcome(m: Movement, adjusted: float | None, alpha: float, tests: int) -> tuple[Outcome, str]:
    seen = m.shift
    if adjusted is None or seen.then is None or seen.now is None:
        return "inconclusive", seen.reason or "no p-value"
    means = f"{m.told(seen.then)} then, {m.told(seen.now)} now"
    what = f"{means}; {seen.differ} of {seen.n} differ, p {adjusted:.2g}"
    if adjusted <= alpha:
        return "fail", what
    if m.least_p * tests > alpha:
        return "inconclusive", f"{what}; {seen.n} canaries cannot tell at alpha {alpha:g}"
    return "pass", what


def rescored(run: Run, then: Iterable[Score], again: Iterable[Score]) -> tuple[int, int]:
    """Return how many of the run's frozen answers a metric gives another value now, of how many."""
    known = {_name(score): (score.value, score.read) for score in then}
    both = [s for s in again if Run(s.model, s.prompt) == run and _name(s) in known]
    return sum(known[_name(s)] != (s.value, s.read) for s in both), len(both)


def _name(score: Score) -> tuple[str, str, str, str, int]:
    return score.metric, score.model, score.prompt, score.example_id, score.repeat


def evidence(run: Run, then: Sequence[Response], now: Sequence[Response]) -> list[str]:
    """Return what servers say of themselves that is other now: proof of nothing, and worth knowing."""
    sides = [[r for r in rows if Run(r.model, r.prompt) == run and r.error is None] for rows in (then, now)]
    mixes = {
        "served model": [Counter(r.served_model or "not told" for r in side) for side in sides],
        "fingerprint": [Counter(r.fingerprint or "not told" for r in side) for side in sides],
    }
    said = [
        f"{what} {_mix(old)} then, {_mix(new)} now"
        for what, (old, new) in mixes.items()
        if set(old) != set(new)
    ]
    counts = [{(r.example_id, r.repeat): r.input_tokens for r in side} for side in sides]
    both = [key for key in counts[0] if None not in (counts[0][key], counts[1].get(key))]
    if other := sum(counts[0][key] != counts[1][key] for key in both):
        said.append(f"input tokens of {other} of {len(both)} questions differ")
    return said


def _mix(counts: Counter[str]) -> str:
    return ", ".join(f"{name} ({count})" for name, count in counts.most_common(3)) or "none"
