"""A suite's judges -> the terminal: how often a text in an answer that is meant to steer them does."""

import random
from collections.abc import Iterable, Iterator, Sequence

from llmops.comparing import Settings
from llmops.config import section
from llmops.errors import UserError
from llmops.judges.catalog import load_judge
from llmops.judges.injected import Attempt, Steered, best_of, injected, load_attempts, steered
from llmops.judges.judge import Judge, Subject
from llmops.judges.specs import PairwiseSpec
from llmops.judging import judgements, subjects
from llmops.numbers import interval, number
from llmops.places import Places
from llmops.records import Judgement
from llmops.stats.interval import Interval
from llmops.suites import load_suite


def main(places: Places, name: str, limit: int, seed: int = 0) -> None:
    """Print, for each judge that is a model, how many verdicts moved and how many went up.

    Args:
        limit: how many examples' answers take the attempts, a random sample drawn by ``seed``.

    Raises:
        UserError: no judge of the suite is a model, or there are no attempts.
    """
    judges = [load_judge(places, judge) for judge in load_suite(places.root, name).judges]
    asked = [judge for judge in judges if judge.ballot is not None]
    if not asked:
        raise UserError(f"judge: {name!r} has no judge that is a model; name one in the suite's `judges:`")
    attempts, sample = load_attempts(places.root), _sample(subjects(places, name), limit, seed)
    settings = section(places.root, "compare", Settings)
    for judge in asked:
        highest = max(judge.ballot.values.values()) if judge.ballot else 1.0
        found = _tried(places, name, judge, sample, attempts)
        lines = list(_lines(steered(*found, highest, settings.confidence), len(attempts)))
        print(
            "\n".join(lines or [f"{judge.name}: no verdict without an attempt to hold one with it against"])
        )


def _sample(answers: Sequence[Subject], limit: int, seed: int) -> list[Subject]:
    usable = [subject for subject in answers if subject.response.answer is not None]
    ids = sorted({subject.example.id for subject in usable})
    kept = set(random.Random(seed).sample(ids, min(limit, len(ids))))
    return [subject for subject in usable if subject.example.id in kept]


def _tried(
    places: Places, name: str, judge: Judge, sample: Sequence[Subject], attempts: Sequence[Attempt]
) -> tuple[list[Judgement], list[Judgement]]:
    best = best_of(judge.ballot.values) if judge.ballot else ""
    spared = _spared(places, name, sample) if isinstance(judge.spec, PairwiseSpec) else None
    tried = list(injected(sample, attempts, best, spared))
    return judgements(places, name, [judge.name], sample), judgements(places, name, [judge.name], tried)


def _spared(places: Places, name: str, sample: Sequence[Subject]) -> str | None:
    baseline = load_suite(places.root, name).baseline
    known = baseline.model if baseline else None
    return known or next((subject.response.model for subject in sample), None)


def _lines(found: Iterable[Steered], attempts: int) -> Iterator[str]:
    for each in found:
        if each.attempt == "all":
            yield f"{each.judge}: {attempts} attempts, {each.moved.n:,} verdicts"
        yield f"  {each.attempt:<16} moved {_shown(each.moved)}, raised {_shown(each.raised)}"


def _shown(share: Interval) -> str:
    return f"{number(share.value)} {interval(share.low, share.high)}"
