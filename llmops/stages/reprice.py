"""results/ and runs/ -> the terminal: what answers would cost at other prices, from their raw usage."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import click
import msgspec

from llmops import jsonl
from llmops.config import convert, params, read_yaml
from llmops.errors import UserError
from llmops.models.catalog import check_price, parse_spec
from llmops.models.specs import OpenAISpec
from llmops.numbers import UNKNOWN, dollars
from llmops.places import Places, newest
from llmops.prices import Cost, Price, pricing, source
from llmops.record import Record
from llmops.records import Judgement, Response
from llmops.replies import Reply
from llmops.report import aligned
from llmops.totals import total

HEAD = ("suite", "model", "prompt", "answers", "booked", "repriced", "unknown", "prices")


class Repriced(Record):
    """What one model's answers through one prompt cost, and would cost."""

    suite: str
    model: str
    prompt: str
    answers: int
    booked_usd: float | None
    repriced_usd: float | None
    unknown: int
    """Answers whose other price is not known; then it is no sum either."""
    price_source: str | None
    judge: str | None = None
    """The judge whose verdicts these are; None for the answers themselves."""


Prices = Callable[[str], tuple[Cost, str | None]]
"""A model → what tells a reply's cost, and where that price stands."""


def main(
    places: Places,
    suites: Sequence[str],
    at: datetime | None = None,
    prices: Path | None = None,
    *,
    as_json: bool = False,
) -> None:
    """Print what the newest answers of the suites cost when they were asked, and at other prices.

    Args:
        suites: all that have answers when empty.
        at: the price table of this time; None for that of when each answer was asked.
        prices: a file of model → price, which goes before what params.yaml says.

    Raises:
        UserError: no such answers, a price that is none, or one of a model that there is not.
    """
    own = own_prices(prices) if prices else {}
    found = [row for name in suites or newest(places.root) for row in repriced(places, name, own, at)]
    if not found:
        raise UserError("reprice: there are no answers; run `dvc repro` or `llmops run SUITE`")
    known = {*(params(places.root).get("models") or {}), *(row.model for row in found)}
    if strange := sorted(own.keys() - known):
        raise UserError(f"{prices}: no model {strange[0]!r}; models are {sorted(known)}")
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=1).decode())
    else:
        click.echo(aligned([HEAD, *map(_cells, found)]))


def repriced(places: Places, name: str, own: Mapping[str, Price], at: datetime | None) -> Iterator[Repriced]:
    """Yield a row for each model and prompt of a suite's newest answers, then one for each of its judges."""
    here = newest(places.root, name).get(name)
    if here is None:
        raise UserError(f"reprice: no answers of {name!r}; run `dvc repro` or `llmops run {name}`")
    settings = params(places.root)
    models, judges = settings.get("models") or {}, settings.get("judges") or {}

    def prices(model: str) -> tuple[Cost, str | None]:
        return _pricing(model, models.get(model), own.get(model), at)

    rows = jsonl.read(here.suite(name, "responses.jsonl"), Response)
    for (model, prompt), group in groupby(rows, key=lambda row: (row.model, row.prompt)):
        answers = [(row.cost_usd, [turn.reply for turn in row.turns]) for row in group]
        yield _row(name, model, prompt, answers, prices(model))
    for judge, replies in _heard(here.suite(name, "judgements.jsonl")).items():
        yield _verdicts(name, judge, replies, judges, prices)


def _heard(path: Path) -> dict[str, list[Reply]]:
    """Return judge → the replies that its verdicts rest on, each once: like answers share theirs."""
    found: dict[str, dict[bytes, Reply]] = {}
    for row in jsonl.read_any(path, Judgement):
        found.setdefault(row.judge, {}).update((jsonl.line(turn), turn.reply) for turn in row.turns)
    return {judge: list(replies.values()) for judge, replies in found.items() if replies}


def _verdicts(
    suite: str, judge: str, replies: Sequence[Reply], judges: Mapping[str, Any], prices: Prices
) -> Repriced:
    """Return a judge's row; a jury of several models has no price, since no reply says whose it is."""
    asked = _asked(judges, judge)
    model, prompt = (", ".join(sorted({each[part] for each in asked})) for part in (0, 1))
    priced = prices(model) if len({model for model, _ in asked}) == 1 else (_unpriced, None)
    row = _row(suite, model, prompt, [(reply.cost_usd, [reply]) for reply in replies], priced)
    return msgspec.structs.replace(row, judge=judge)


def _asked(judges: Mapping[str, Any], judge: str) -> set[tuple[str, str]]:
    """Return (model, prompt) that a judge asks, or that each member of a jury does."""
    raw = judges.get(judge) or {}
    if members := raw.get("judges"):
        return {each for member in members if member != judge for each in _asked(judges, member)}
    return {(raw.get("model") or UNKNOWN, raw.get("prompt") or UNKNOWN)}


def _unpriced(_: Reply) -> None:
    return None


def _row(
    suite: str,
    model: str,
    prompt: str,
    answers: Sequence[tuple[float | None, Sequence[Reply]]],
    priced: tuple[Cost, str | None],
) -> Repriced:
    cost, where = priced
    costs = [total([0.0, *map(cost, replies)]) for _, replies in answers]
    return Repriced(
        suite=suite,
        model=model,
        prompt=prompt,
        answers=len(answers),
        booked_usd=total(booked for booked, _ in answers),
        repriced_usd=total(costs),
        unknown=costs.count(None),
        price_source=where,
    )


def _pricing(model: str, raw: Any, own: Price | None, at: datetime | None) -> tuple[Cost, str | None]:
    """Return what tells the cost, and where that price stands; a model that is not known has none."""
    spec = None if raw is None else parse_spec(model, raw)
    price = own or getattr(spec, "price", None)
    named, address = (spec.model, spec.base_url) if isinstance(spec, OpenAISpec) else ("", None)
    where = "the file" if own else source(price, named, address)
    return pricing(price, named, address, at), where


def own_prices(path: Path) -> dict[str, Price]:
    """Return model → price, as a file gives them.

    Raises:
        UserError: no such file, or a price that is none.
    """
    found: dict[str, Price] = convert(read_yaml(path) or {}, dict[str, Price], str(path))
    for model, price in found.items():
        check_price(price, f"{path}: {model}")
    return found


def _cells(row: Repriced) -> tuple[str, ...]:
    return (
        row.suite,
        row.model,
        row.prompt,
        f"{row.answers:,}",
        dollars(row.booked_usd),
        dollars(row.repriced_usd),
        f"{row.unknown:,}",
        row.price_source or UNKNOWN,
    )
