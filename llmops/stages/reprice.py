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
from llmops.judges.catalog import judge_spec
from llmops.judges.specs import Asked, JurySpec
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

HEAD = ("suite", "model", "prompt", "judge", "answers", "booked", "repriced", "unknown", "prices")


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


Priced = tuple[Cost, str | None]
"""What tells a reply's cost, and where that price stands."""


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
    answered = (row.model for row in found if row.judge is None)
    known = {*(params(places.root).get("models") or {}), *answered}
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

    def priced(model: str) -> Priced:
        return _pricing(model, models.get(model), own.get(model), at)

    rows = jsonl.read(here.suite(name, "responses.jsonl"), Response)
    for (model, prompt), group in groupby(rows, key=lambda row: (row.model, row.prompt)):
        answers = [(row.cost_usd, [turn.reply for turn in row.turns]) for row in group]
        yield _row(name, model, prompt, answers, priced(model))
    for judge, replies in _heard(here.suite(name, "judgements.jsonl")).items():
        yield _verdicts(name, judge, replies, judges, priced)


def _heard(path: Path) -> dict[str, list[Reply]]:
    """Return judge → the replies that its verdicts rest on, each once: like answers share theirs."""
    found: dict[str, dict[bytes, Reply]] = {}
    for row in jsonl.read_any(path, Judgement):
        found.setdefault(row.judge, {}).update((jsonl.line(turn), turn.reply) for turn in row.turns)
    return {judge: list(replies.values()) for judge, replies in found.items() if replies}


def _verdicts(
    suite: str, judge: str, replies: Sequence[Reply], judges: Any, priced: Callable[[str], Priced]
) -> Repriced:
    """Return a judge's row; a jury of several models has no price, since no reply says whose it is."""
    asked = _asked(judges, judge)
    models, prompts = (sorted({each[part] for each in asked}) for part in (0, 1))
    price = priced(models[0]) if len(models) == 1 else (_unpriced, None)
    answers = [(reply.cost_usd, [reply]) for reply in replies]
    row = _row(suite, ", ".join(models) or UNKNOWN, ", ".join(prompts) or UNKNOWN, answers, price)
    return msgspec.structs.replace(row, judge=judge)


def _asked(judges: Any, judge: str, within: tuple[str, ...] = ()) -> set[tuple[str, str]]:
    """Return (model, prompt) that a judge asks, or each member of a jury."""
    if judge not in judges:
        return {(UNKNOWN, UNKNOWN)}
    if judge in within:
        return set()
    spec = judge_spec(judge, judges)
    if isinstance(spec, JurySpec):
        return {each for member in spec.judges for each in _asked(judges, member, (*within, judge))}
    return {(spec.model, spec.prompt)} if isinstance(spec, Asked) else set()


def _unpriced(_: Reply) -> None:
    return None


def _row(
    suite: str,
    model: str,
    prompt: str,
    answers: Sequence[tuple[float | None, Sequence[Reply]]],
    price: Priced,
) -> Repriced:
    cost, where = price
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


def _pricing(model: str, raw: Any, own: Price | None, at: datetime | None) -> Priced:
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
        row.judge or "",
        f"{row.answers:,}",
        dollars(row.booked_usd),
        dollars(row.repriced_usd),
        f"{row.unknown:,}",
        row.price_source or UNKNOWN,
    )
