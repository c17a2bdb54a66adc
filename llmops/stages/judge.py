"""results/<suite>/{examples,responses}.jsonl, prompts/, models/ -> {judgements,judged,ranking}.jsonl."""

import asyncio
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from time import monotonic
from typing import NamedTuple

import msgspec

from llmops import jsonl
from llmops.comparing import Settings
from llmops.config import PARAMS, section
from llmops.errors import Stopped
from llmops.generating import GO_ON, Round, Run
from llmops.judges.asking import Cases, Hearing
from llmops.judges.bench import judging
from llmops.judges.catalog import judge_model, load_judge
from llmops.judges.judge import Case, Judge, Subject
from llmops.judges.judged import judged
from llmops.judges.ranking import How, ranked
from llmops.models.budget import Budget, checked
from llmops.models.catalog import open_model
from llmops.models.stack import Limits, check_budget
from llmops.models.stoppable import Stop
from llmops.models.store import open_store
from llmops.models.unheeded import told_unheeded
from llmops.places import Places, state_folder
from llmops.records import Example, Judgement, Response
from llmops.scoring import beside_examples
from llmops.signals import on_signals
from llmops.stats.bootstrap import Resampling
from llmops.suites import load_suite

SPEND = "spend.jsonl"


class Params(Limits):
    """How much is asked of judges at once, how patiently, in which order, and what a run may take."""

    seed: int = 0


class Court(NamedTuple):
    """What all judges of one run share."""

    places: Places
    suite: str
    run: Run


def main(places: Places, name: str) -> None:
    """Show every answer of the suite to each of its judges; a suite without judges gets empty files.

    Raises:
        UserError: a judge that there is not, or a wrong setting.
        Stopped: the user ended the run; what was answered is stored.
    """
    suite = load_suite(places.root, name)
    for judge in suite.judges:
        load_judge(places, judge)
    answers = subjects(places, name) if suite.judges else []
    found = judgements(places, name, suite.judges, answers) if suite.judges else []
    jsonl.write(places.suite(name, "judgements.jsonl"), found)
    jsonl.write(places.suite(name, "judged.jsonl"), judged(found))
    shown = section(places.root, "compare", Settings)
    how = How(shown.confidence, Resampling(shown.resamples, shown.seed))
    jsonl.write(places.suite(name, "ranking.jsonl"), ranked(found, answers, how))


def subjects(places: Places, name: str) -> list[Subject]:
    """Return the suite's answers, each beside its example."""

    def examples() -> Iterator[Example]:
        return jsonl.read(places.suite(name, "examples.jsonl"), Example)

    responses = jsonl.read(places.suite(name, "responses.jsonl"), Response)
    return [Subject(*pair) for pair in beside_examples(responses, examples)]


def judgements(
    places: Places, name: str, judges: Sequence[str], answers: Sequence[Subject]
) -> list[Judgement]:
    """Return what these judges say of these answers of the suite.

    Raises:
        UserError: a judge that there is not, or a wrong setting.
        Stopped: the user ended the run; what was answered is stored.
    """
    try:
        return asyncio.run(_judge_all(places, name, judges, answers))
    except asyncio.CancelledError:
        raise Stopped(f"stopped at once: what was answered is stored, and {GO_ON}") from None


async def _judge_all(
    places: Places, name: str, judges: Sequence[str], answers: Sequence[Subject]
) -> list[Judgement]:
    suite, settings, stop = load_suite(places.root, name), section(places.root, "judge", Params), Stop()
    checked(settings, f"{PARAMS}: judge")
    with (
        closing(open_store(f"sqlite:///{state_folder(places.root) / places.store}")) as store,
        on_signals(stop.ask),
    ):
        court = Court(places, name, Run(store, Budget(settings), settings, stop, settings.seed))

        async def ask(judge: Judge, cases: Sequence[Case]) -> list[Response]:
            return await _ask(court, judge, cases)

        given = judging(places, answers, suite.baseline, ask)
        return [each for judge in judges for each in await given(judge)]


async def _ask(court: Court, judge: Judge, cases: Sequence[Case]) -> list[Response]:
    """Return what a judge's model says to each case, and write down what was spent, however it ends."""
    if not cases or judge.prompt is None:
        return []
    spec = judge_model(court.places, judge)
    model = open_model(judge.spec.model, spec, court.places)  # type: ignore[union-attr]
    found: dict[int, Response] = {}

    def put(number: int, line: bytes) -> None:
        found[number] = msgspec.json.decode(line, type=Response)

    started, at = monotonic(), datetime.now(UTC).isoformat(timespec="seconds")
    try:
        check_budget([model], court.run.limits)
        asked = Round(court.run, Hearing(court.suite, judge, Cases(judge.prompt, cases)), model, put)
        try:
            await asked.ask_all()
        finally:
            _book(court, judge, asked, at, monotonic() - started)
    finally:
        await model.close()
    return [found[number] for number in range(len(cases))]


def _book(court: Court, judge: Judge, asked: Round, at: str, seconds: float) -> None:
    if asked.unheeded:
        told = told_unheeded(asked.unheeded, asked.answers)
        print(f"judge {asked.suite}: {judge.name}: {told}", file=sys.stderr)
    rows = [msgspec.structs.replace(row, judge=judge.name) for row in asked.spend(at, seconds)]
    jsonl.append(state_folder(court.places.root) / SPEND, rows)
