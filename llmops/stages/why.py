"""Two runs' files -> the terminal: which inputs changed, how metrics moved, which examples flipped."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from statistics import fmean

import msgspec

from llmops.baseline import Reference
from llmops.comparing import Plan, compared
from llmops.errors import UserError
from llmops.explanation import Examples, Explanation, lines
from llmops.flips import Side, answers, flips, shifts
from llmops.judges.judged import from_both_sides, words_of
from llmops.kept import Kept, load
from llmops.manifest import changes, prompt_diff
from llmops.metrics.catalog import load_metric
from llmops.metrics.metric import Metric
from llmops.places import Places
from llmops.records import OVERALL, Estimate, Score
from llmops.summary import Column, Run, columns


def main(places: Places, before: str, after: str, *, limit: int = 10, as_json: bool = False) -> None:
    """Print why the numbers of two runs differ, for each model × prompt that both hold.

    Args:
        limit: flips of a metric that are printed.
        as_json: print a list of objects, with all flips.

    Raises:
        UserError: there is no such run, or it does not tell which of its runs to hold against which.
    """
    ours, theirs = load(places, before), load(places, after)
    found = [explained(places, (ours, old), (theirs, new)) for old, new in pairs(ours, theirs)]
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(found), indent=1).decode())
    else:
        print("\n\n".join("\n".join(lines(each, limit)) for each in found))


def pairs(before: Kept, after: Kept) -> list[tuple[Run, Run]]:
    """Return the runs that both hold; where there are none, those that share a model or a prompt."""
    ours, theirs = _runs(before), _runs(after)
    if shared := [(run, run) for run in theirs if run in ours]:
        return shared
    alike = [(a, b) for b in theirs for a in ours if a.model == b.model or a.prompt == b.prompt]
    if len(alike) == len({a for a, _ in alike}) == len({b for _, b in alike}) > 0:
        return alike
    if len(ours) == len(theirs) == 1:
        return [(ours[0], theirs[0])]
    raise UserError(
        f"why: {_named(ours)} and {_named(theirs)} do not pair; take some of them, e.g. "
        f"`{before.name}:{ours[0].model}:{ours[0].prompt}`"
    )


def _runs(kept: Kept) -> list[Run]:
    return list(dict.fromkeys(Run(row.model, row.prompt) for row in kept.rows.responses))


def _named(runs: Sequence[Run]) -> str:
    return ", ".join(str(run) for run in runs)


def explained(places: Places, before: tuple[Kept, Run], after: tuple[Kept, Run]) -> Explanation:
    """Return the explanation; the settings of the run after hold for the differences."""
    sides = _side(*before, after[0].suite.unread), _side(*after, after[0].suite.unread)
    old, new = before[0].manifests.get(before[1]), after[0].manifests.get(after[1])
    moved = list(shifts(*sides, _estimates(places, before, after)))
    return Explanation(
        before=_where(*before),
        after=_where(*after),
        changes=list(changes(old, new)) if old and new else [],
        not_known=list(_unknown(before, after)),
        examples=_examples(*sides),
        prompt_diff=prompt_diff(old, new) if old and new else [],
        shifts=moved,
        flips=[flip for shift in moved for flip in flips(shift.metric, *sides)],
    )


def _estimates(places: Places, before: tuple[Kept, Run], after: tuple[Kept, Run]) -> list[Estimate]:
    """Return the estimates of the run after, as `compare` makes them with the run before for a baseline."""
    kept, run = after
    plan = Plan(kept.name, kept.suite, list(_metrics(places, kept)), kept.settings)
    responses = [row for row in kept.rows.responses if Run(row.model, row.prompt) == run]
    rows = kept.rows._replace(responses=responses, scores=_scores(kept, run))
    return compared(plan, rows, Reference("before", _scores(*before))).estimates


def _metrics(places: Places, kept: Kept) -> Iterator[Metric]:
    for name in kept.suite.metrics:
        with suppress(UserError):  # the file of a project's own metric may be gone since
            yield load_metric(name, places.root)


def _scores(kept: Kept, run: Run) -> list[Score]:
    return [row for row in kept.rows.scores if Run(row.model, row.prompt) == run]


def _side(kept: Kept, run: Run, policy: str) -> Side:
    own = [e for e in kept.estimates if (e.model, e.prompt) == run and e.slice == OVERALL]
    held = {metric: found for (_, metric), found in columns(_scores(kept, run), policy, {}).items()}
    return Side(
        examples={example.id: example for example in kept.rows.examples},
        answers=answers(row for row in kept.rows.responses if Run(row.model, row.prompt) == run),
        columns=held,
        stored={e.metric: e.value for e in own} or dict(_means(held)),
        lower_is_better=frozenset(e.metric for e in own if not e.higher_is_better),
        verdicts=_verdicts(kept, run),
    )


def _verdicts(kept: Kept, run: Run) -> dict[tuple[str, str], str]:
    """Return what judges said of the run's answers, of several repeats or opponents the first."""
    found: dict[tuple[str, str], str] = {}
    for each in chain.from_iterable(map(from_both_sides, kept.judgements)):
        if Run(each.model, each.prompt) == run:
            found.setdefault((each.metric, each.example_id), words_of(each))
    return found


def _means(held: Mapping[str, Column]) -> Iterator[tuple[str, float]]:
    """Yield the metrics' values of a run that only scores were kept of; none of a corpus's value."""
    for metric, column in held.items():
        if column.values and not column.statistics:
            yield metric, fmean(column.values.values())


def _where(kept: Kept, run: Run) -> str:
    return kept.where if kept.where.endswith(f"{run})") else f"{kept.where}: {run}"


def _unknown(*sides: tuple[Kept, Run]) -> Iterator[str]:
    for kept, run in sides:
        if run not in kept.manifests:
            yield f"{_where(kept, run)}: was not published; run `llmops publish {kept.name}`"


def _examples(before: Side, after: Side) -> Examples:
    both = before.examples.keys() & after.examples.keys()
    return Examples(
        added=len(after.examples.keys() - before.examples.keys()),
        removed=len(before.examples.keys() - after.examples.keys()),
        changed=sum(before.examples[i] != after.examples[i] for i in both),
        asked_before=len(before.answers),
        asked_after=len(after.answers),
    )
