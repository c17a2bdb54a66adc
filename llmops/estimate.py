"""`llmops estimate`: what a run will ask, and what that will cost, before it is asked."""

import random
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import click
import msgspec
from msgspec.structs import replace

from llmops import jsonl
from llmops.cards.card import load_card
from llmops.cards.examples import read_examples
from llmops.config import section
from llmops.estimating import BYTES_PER_TOKEN, ENOUGH, Amount, Amounts, Estimated, Missing, amounts
from llmops.hearings import Ahead, answers_ahead, calls_foreseen, hearings, words
from llmops.judges.catalog import judge_model
from llmops.judging import closed
from llmops.models.catalog import closed_model, tokenizer
from llmops.models.chosen import chosen_models
from llmops.models.earlier import Earlier, earlier, wire_bytes
from llmops.models.metered import EMPTY, most_output
from llmops.models.model import Model
from llmops.models.recording import Recording, replayed
from llmops.models.stack import cost_of, price_source
from llmops.models.store.store import STORE
from llmops.numbers import dollars, number
from llmops.pending import Likely, Pending, pending
from llmops.places import Places, state_folder
from llmops.questions import load_job
from llmops.replies import Request
from llmops.report import aligned
from llmops.stages import fetch
from llmops.stages.generate import Params
from llmops.stats.prediction import Foreseen
from llmops.suites import Suite, load_suite
from llmops.totals import total

TOKENIZED = 1000
"""The most requests of a model and prompt that its tokenizer counts; the others follow by their length."""
SUMS = ("input_tokens", "output_tokens", "seconds", "cost_usd")
UNKNOWN_LENGTH = 1000
"""Characters of an answer of which nothing tells how long it will be."""
NO_TOOL = "no answer calls a tool, which would end its conversation"
ALIKE = (
    "models and prompts give the same answer as often as so far, and never where ten answers are not there"
)
READ_AT_ONCE = "every verdict can be read, since another is asked for once more"
LISTED = "default"
"""The service tier of the listed price."""
COUNTS = ("questions", "stored", "calls")
HEAD = ("suite", "model", "prompt", *COUNTS, "tokens in", "tokens out", "seconds", "cost")

Count = Callable[[Request], int]


class Choice(NamedTuple):
    """What of a suite is to be asked, as `llmops run` takes it."""

    models: list[str] | None = None
    limit: int | None = None


ALL = Choice()


def main(places: Places, suites: Sequence[str], choice: Choice = ALL, *, as_json: bool = False) -> None:
    """Print what asking the suites will take, by model and prompt; no model is asked.

    Args:
        places: where data sets are fetched to.
    """
    found = [row for name in suites for row in estimated(places, name, choice)]
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=1).decode())
        return
    click.echo(aligned([HEAD, *map(_cells, found), *_total(found)]))
    for row in found:
        click.echo(f"{row.suite}: {row.model} · {row.prompt}: {_sources(row)}")


def estimated(places: Places, name: str, choice: Choice = ALL) -> Iterator[Estimated]:
    """Yield a row for each model and prompt of a suite, then one for each of its judges.

    Raises:
        UserError: what `llmops run` would raise of what is known without asking.
    """
    suite = load_suite(places.root, name)
    fetch.main(places, [name])
    seed = section(places.root, "generate", Params).seed
    job = load_job(_examples(places, name, suite.dataset), name, suite, choice.limit, seed)
    store, answers = state_folder(places.root) / STORE, Ahead([], set())
    for named, spec in chosen_models(places, suite, choice.models).items():
        model, count = closed_model(named, spec, places), tokenizer(named, spec, places)
        rows: list[Estimated] = []
        for left in pending(job, model, store, _likely(model, store)):
            left = left._replace(requests=[], unanswered=0, guessed=0) if suite.recording else left
            proviso = NO_TOOL if any(each.tools for each in left.requests) and left.prompt.asking else None
            rows.append(replace(_row(name, model, left, count, store), proviso=proviso))
        yield from rows
        if suite.judges:
            replies = replayed(model, Recording(places.root / suite.recording)) if suite.recording else model
            lengths = {row.prompt: _length(row.output_tokens, row.calls) for row in rows}
            ahead = answers_ahead(job, replies, store, lengths)
            answers = Ahead(answers.subjects + ahead.subjects, answers.guessed | ahead.guessed)
    yield from _judges(places, name, suite, answers, store)


def _judges(places: Places, name: str, suite: Suite, answers: Ahead, store: Path) -> Iterator[Estimated]:
    """Yield a row for each judge that is a model; a recording's verdicts count as stored."""
    recorded = Recording(places.root / suite.recording).header.judges if suite.recording else []
    for hearing in hearings(places, name, suite, answers.subjects):
        judge, model = hearing.judge, closed(places, hearing.judge)
        count = tokenizer(model.name, judge_model(places, judge), places)
        for left in pending(hearing, model, store):
            left = left._replace(requests=[], unanswered=0, guessed=0) if judge.name in recorded else left
            proviso = _proviso(suite, left) if left.requests else None
            row = replace(_row(name, model, left, count, store), judge=judge.name, proviso=proviso)
            yield _holding(row, calls_foreseen(hearing, model, left.requests, answers.guessed))


def _holding(row: Estimated, calls: Foreseen) -> Estimated:
    """Return the row with limits that hold how many calls there may be."""
    if not row.calls:
        return row
    less, more = calls.low / row.calls, calls.high / row.calls
    sums = {name: getattr(row, name) for name in SUMS}
    return replace(row, **{
        name: replace(each, low=less * each.low, high=more * each.high)
        for name, each in sums.items() if each.low is not None and each.high is not None
    })  # fmt: skip


def _proviso(suite: Suite, left: Pending) -> str | None:
    several = len(suite.models) * len(suite.prompts) > 1
    told = [ALIKE] if several else []
    told += [READ_AT_ONCE] if left.prompt.repaired("") is not None else []
    return "; that ".join(told) or None


def _likely(model: Model, store: Path) -> Likely:
    """Return what gives answers of the prompt, else of the model, else a text of a likely length."""

    def texts(left: Pending) -> list[str]:
        for answers in (left.known, earlier(store, model)):
            said = [each.reply.text for each in answers if each.reply.text]
            if len(said) >= ENOUGH:
                return said
        made = amounts(_missing(model, left, None, store)).output_tokens
        length = _length(made, len(left.requests))
        return [words(length)]

    return texts


def _length(output_tokens: Amount, calls: int) -> int:
    """Return how many characters an answer that is not there yet is likely to have."""
    if not calls or output_tokens.value is None:
        return UNKNOWN_LENGTH
    return round(BYTES_PER_TOKEN[1] * output_tokens.value / calls)


def _examples(places: Places, name: str, dataset: str) -> Places:
    """Write the suite's examples where nothing else reads them, and return that place."""
    aside = Places(places.root, f"{places.out}/estimate")
    card = load_card(places.root, dataset)
    read = read_examples(card, places.raw(card.name))
    jsonl.write(aside.suite(name, "examples.jsonl"), (example for _, example in read))
    return aside


def _missing(model: Model, left: Pending, count: Count | None, store: Path) -> Missing:
    bounds = [most_output(model, request) for request in left.requests]
    tier = model.wire(EMPTY).get("service_tier")
    return Missing(
        asked_bytes=[wire_bytes(model.wire(request)) for request in left.requests],
        tokens=_tokenized(model, left.requests, count) if count else None,
        prompt=left.known,
        model=[_at(tier, each) for each in earlier(store, model)] if left.requests else [],
        max_tokens=None if None in bounds else max(filter(None, bounds), default=None),
        cost=cost_of(model, datetime.now(UTC)),
        by_time=model.price is not None and model.price.per_hour_usd is not None,
        guessed=left.guessed,
        texts=left.texts,
        tier=tier,
    )


def _at(tier: str | None, answer: Earlier) -> Earlier:
    """Return an answer to another request as if it had been asked for at this tier, which prices it."""
    return answer._replace(reply=replace(answer.reply, service_tier=tier or LISTED))


def _tokenized(model: Model, requests: Sequence[Request], count: Count) -> list[tuple[float, float]]:
    chosen = requests if len(requests) <= TOKENIZED else random.Random(0).sample(requests, TOKENIZED)
    return [(float(wire_bytes(model.wire(request))), float(count(request))) for request in chosen]


def _row(suite: str, model: Model, left: Pending, count: Count | None, store: Path) -> Estimated:
    return Estimated(
        suite=suite,
        model=model.name,
        prompt=left.prompt.name,
        questions=left.questions,
        stored=left.questions - left.unanswered,
        calls=len(left.requests),
        price_source=price_source(model),
        **amounts(_missing(model, left, count, store))._asdict(),
    )


def _cells(row: Estimated) -> tuple[str, ...]:
    counts = (f"{getattr(row, name):,}" for name in COUNTS)
    tokens = (_shown(getattr(row, name)) for name in SUMS if name != "cost_usd")
    return (row.suite, row.model, row.prompt, *counts, *tokens, _shown(row.cost_usd, dollars))


def _shown(amount: Amount, told: Callable[[float | None], str] = number) -> str:
    ends = (told(end) for end in (amount.low, amount.high))
    return told(amount.value) if amount.low == amount.high else f"{told(amount.value)} [{', '.join(ends)}]"


def _total(found: Sequence[Estimated]) -> Iterator[tuple[str, ...]]:
    """Yield the row of all together, where there are several; its limits are the sums of theirs."""
    if len(found) < 2:
        return
    counts = {name: sum(getattr(row, name) for row in found) for name in COUNTS}
    sums = Amounts(*(_added([getattr(row, name) for row in found]) for name in SUMS))
    every = Estimated(suite="all", model="", prompt="", price_source=None, **counts, **sums._asdict())
    yield _cells(every)


def _added(amounts: Sequence[Amount]) -> Amount:
    ends = {end: total(getattr(each, end) for each in amounts) for end in ("value", "low", "high")}
    return Amount(source="", **ends)


def _sources(row: Estimated) -> str:
    """Return what the row's sums are told from, each source once."""
    told: dict[str, list[str]] = {}
    for name in SUMS:
        told.setdefault(getattr(row, name).source, []).append(name.removesuffix("_usd").replace("_", " "))
    priced = f"; prices by {row.price_source}" if row.price_source else ""
    assumed = f"; assumes that {row.proviso}" if row.proviso else ""
    return "; ".join(f"{', '.join(names)}: {source}" for source, names in told.items()) + priced + assumed
