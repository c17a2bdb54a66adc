"""A run's files -> the terminal: equal when its numbers come out of its answers anew, else what differs."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from llmops import jsonl, provenance
from llmops.comparing import Plan, compared
from llmops.config import PARAMS
from llmops.differences import Difference, in_estimates, in_numbers, in_ranking, in_scores
from llmops.discoveries import with_q
from llmops.judges.judge import Subject
from llmops.judges.judged import judged
from llmops.judges.ranking import How, ranked
from llmops.kept import Kept, load
from llmops.manifest import OWN
from llmops.metrics.catalog import load_metric
from llmops.places import Places
from llmops.records import Estimate, Ranked, Response, Score
from llmops.scoring import scored
from llmops.stats.bootstrap import Resampling
from llmops.summary import Run
from llmops.tasks.readers import load_reader
from llmops.tracking import figures
from llmops.visible import visible

SHOWN = 20
"""Differences that are printed."""


class Anew(NamedTuple):
    """What the kept answers amount to."""

    scores: list[Score]
    estimates: list[Estimate]
    ranking: list[Ranked]
    given: list[str]
    """Metrics whose scores are taken as they stand, because no function makes them."""


def main(places: Places, wanted: str) -> int:
    """Print whether a run's numbers come out of its answers anew; 0 when they do, 1 when not.

    Raises:
        UserError: there is no such run, or a file of it is missing.
    """
    try:
        kept = load(places, wanted)
    except jsonl.Malformed as problem:
        print(f"different: {visible(str(problem))}")
        return 1
    metrics = [load_metric(name, places.root) for name in kept.suite.metrics]
    anew = _anew(kept, Plan(kept.name, kept.suite, metrics, kept.settings))
    found = [*_in_answers(kept), *_in_results(kept, anew)]
    _say(kept, found)
    for note in _notes(kept, anew):
        print(f"not verified: {visible(note)}")
    for note in _since(places, kept) if found else []:
        print(f"note: {visible(note)}")
    return 1 if found else 0


def _anew(kept: Kept, plan: Plan) -> Anew:
    examples = {example.id: example for example in kept.rows.examples}
    pairs = [(r, examples[r.example_id]) for r in kept.rows.responses if r.example_id in examples]
    reader = load_reader(plan.suite.task, f"{PARAMS}: suites: {kept.name}: task")
    made = list(scored(reader, plan.metrics, pairs, kept.labels))
    made += _judged(kept)
    given = sorted({score.metric for score in kept.rows.scores} - {score.metric for score in made})
    scores = made + [score for score in kept.rows.scores if score.metric in given]
    rows = kept.rows._replace(responses=[response for response, _ in pairs], scores=scores)
    how = How(plan.settings.confidence, Resampling(plan.settings.resamples, plan.settings.seed))
    ranking = list(ranked(kept.judgements, [Subject(*pair) for pair in pairs], how)) if kept.ranking else []
    return Anew(scores, _among_all(kept, compared(plan, rows, kept.baseline).estimates), ranking, given)


def _among_all(kept: Kept, made: list[Estimate]) -> list[Estimate]:
    """Return the estimates with their q-values among those of the suite's other runs, as these stand."""
    return with_q([*made, *kept.beside])[: len(made)] if kept.beside else made


def _judged(kept: Kept) -> list[Score]:
    """Return what the kept judgements give; those of pairs speak of runs too that were not kept."""
    runs = {Run(response.model, response.prompt) for response in kept.rows.responses}
    return [score for score in judged(kept.judgements) if Run(score.model, score.prompt) in runs]


def _in_answers(kept: Kept) -> Iterator[Difference]:
    """Yield what shows that an example or an answer is not the one that was published."""
    known = {example.id for example in kept.rows.examples}
    for response in kept.rows.responses:
        if response.example_id not in known:
            place = f"{response.model} · {response.prompt}: {response.example_id}"
            yield Difference("responses.jsonl", place, "is the answer to no example")
    responses: dict[Run, list[Response]] = defaultdict(list)
    for response in kept.rows.responses:
        responses[Run(response.model, response.prompt)].append(response)
    for run, told in kept.manifests.items():
        for name, rows in (("examples", kept.rows.examples), ("responses", responses[run])):
            stored, here = told.provenance.get(f"{OWN}{name}"), jsonl.sha256(rows)
            if stored not in (None, here):
                yield Difference(
                    f"{name}.jsonl", str(run), f"is not what was published: sha256 {stored} → {here}"
                )


def _in_results(kept: Kept, anew: Anew) -> Iterator[Difference]:
    yield from in_scores(kept.rows.scores, anew.scores)
    yield from in_estimates(kept.estimates, anew.estimates)
    yield from in_ranking(kept.ranking, anew.ranking)
    for run, stored in kept.logged.items():
        made = figures.metrics(e for e in anew.estimates if (e.model, e.prompt) == run)
        made |= figures.ranking_metrics(r for r in anew.ranking if (r.model, r.prompt) == run)
        yield from in_numbers(str(run), _comparable(kept, stored), made)


def _comparable(kept: Kept, stored: Mapping[str, float]) -> dict[str, float]:
    """Return a run's numbers without its places among others, where the others were not kept with it."""
    return {name: value for name, value in stored.items() if kept.ranking or not figures.of_ranking(name)}


def _say(kept: Kept, found: list[Difference]) -> None:
    if not found:
        counts = len(kept.rows.scores), len(kept.estimates), sum(map(len, kept.logged.values()))
        made = "{:,} scores, {:,} estimates and {:,} metrics in MLflow".format(*counts)
        print(f"equal: {visible(kept.where)}: {len(kept.rows.responses):,} responses give the same {made}")
        return
    print(f"different: {visible(kept.where)}: {len(found):,} differences, stored → made anew")
    for difference in found[:SHOWN]:
        print(f"  {visible(str(difference), 400)}")
    if len(found) > SHOWN:
        print(f"  … and {len(found) - SHOWN:,} more")


def _notes(kept: Kept, anew: Anew) -> Iterator[str]:
    yield from kept.notes
    if anew.given:
        yield f"the scores of {', '.join(anew.given)}: taken as they stand, no function makes them"
    for run, told in kept.manifests.items():
        if f"{OWN}responses" not in told.provenance:
            yield f"whether the answers of {run} are those that were given: their sha256 was not published"


def _since(places: Places, kept: Kept) -> Iterator[str]:
    """Yield what has changed since the run was published, and so may be why its numbers differ."""
    now = {"sha256.code": provenance.code_sha256(), **provenance.versions()}
    if (places.root / PARAMS).is_file() and not kept.own_settings:
        now["sha256.params"] = provenance.sha256([places.root / PARAMS])
    for name in sorted(now):
        before = {told.provenance[name] for told in kept.manifests.values() if name in told.provenance}
        if before - {now[name]}:
            yield f"{name} is another now than when it was published"
