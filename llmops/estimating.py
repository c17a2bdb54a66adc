"""What questions that were not asked yet will take, and what that is told from."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from llmops.models.earlier import Earlier
from llmops.prices import Cost, dearest
from llmops.record import Record
from llmops.replies import Reply
from llmops.stats.prediction import Foreseen, predicted_sum

ENOUGH = 10
"""Earlier answers that are told from."""
BYTES_PER_TOKEN = (1, 4, 8)
"""Fewest, usual and most: no token is less than a byte, and few vocabularies pass eight on average."""


class Amount(Record):
    """A sum with its 95 % prediction interval, and what it is told from; None beside the reason."""

    value: float | None
    low: float | None
    high: float | None
    source: str


class Estimated(Record):
    """What asking one model through one prompt will take, for answers or for verdicts on them."""

    suite: str
    model: str
    prompt: str
    questions: int
    stored: int
    """Questions that the store answers, or another question's answer."""
    calls: int
    input_tokens: Amount
    output_tokens: Amount
    seconds: Amount
    """Of answering, one request after the other."""
    cost_usd: Amount
    price_source: str | None
    judge: str | None = None
    """The judge that the model is asked for; None for the answers themselves."""
    proviso: str | None = None
    """What the number of calls rests on that cannot be known before."""


class Missing(NamedTuple):
    """The requests that are to be sent, and what is known of their like.

    Attributes:
        asked_bytes: how long each request is.
        tokens: (bytes, tokens) of a sample of the requests, as the model's own tokenizer counts; None where
            that is not known.
        prompt: what earlier answers through the same prompt took.
        model: what earlier answers of the model took.
        max_tokens: the most that an answer may be; None where nothing says so.
        cost: US dollars of a reply, at today's price.
        by_time: an answer costs its seconds.
        guessed: how many answers that are not there yet stand in the requests.
        texts: what stands in their place.
        tier: the service tier that is asked for; None for the server's own.
    """

    asked_bytes: Sequence[int]
    tokens: Sequence[tuple[float, float]] | None
    prompt: Sequence[Earlier]
    model: Sequence[Earlier]
    max_tokens: int | None
    cost: Cost
    by_time: bool
    guessed: int = 0
    texts: Sequence[str] = ()
    tier: str | None = None


class Amounts(NamedTuple):
    """The four sums."""

    input_tokens: Amount
    output_tokens: Amount
    seconds: Amount
    cost_usd: Amount


Told = Callable[[Reply], float | None]


def amounts(missing: Missing) -> Amounts:
    """Return what sending the requests will take, retries left out."""
    if not missing.asked_bytes:
        return Amounts(*[_between(0.0, 0.0, 0.0, "nothing to ask")] * 4)
    given, made = _loosened(_input(missing), missing), _output(missing)
    seconds = _seen(missing, lambda reply: reply.latency_s) or _unknown("no earlier answer tells")
    return Amounts(given, made, seconds, _dollars(missing, given, made))


def _input(missing: Missing) -> Amount:
    if missing.tokens is not None and (counted := _counted(missing.tokens, missing.asked_bytes)):
        return counted
    if seen := _seen(missing, _given, by_length=True):
        return seen
    most, usual, least = (sum(missing.asked_bytes) / per for per in BYTES_PER_TOKEN)
    return _between(usual, least, most, f"assumed {BYTES_PER_TOKEN[1]} bytes a token")


def _loosened(given: Amount, missing: Missing) -> Amount:
    """Return the tokens of the prompts with limits that hold those of the answers that stand in them."""
    if not missing.guessed:
        return given
    less, more = _slack(missing)
    return replace(given, low=max(0.0, (given.low or 0.0) - less), high=(given.high or 0.0) + more)


def _slack(missing: Missing) -> tuple[float, float]:
    """Return how many tokens less and more the answers that stand in the prompts may have."""
    sizes = [len(text.encode("utf-8", "surrogatepass")) for text in missing.texts]
    known = [(0.0, size / BYTES_PER_TOKEN[1]) for size in sizes]
    if len(known) >= ENOUGH and (found := predicted_sum(known, [0.0] * missing.guessed)):
        return found.value - found.low, found.high - found.value
    most = max(sizes)  # no token is less than a byte
    return float(missing.guessed * most), float(missing.guessed * (missing.max_tokens or most))


def _counted(tokens: Sequence[tuple[float, float]], asked_bytes: Sequence[int]) -> Amount | None:
    source = "the model's own tokenizer"
    if len(tokens) == len(asked_bytes):
        exact = sum(count for _, count in tokens)
        return _between(exact, exact, exact, source)
    found = predicted_sum(tokens, [float(size) for size in asked_bytes])
    return None if found is None else _at_least_0(found, f"{source}, by {len(tokens):,} of them")


def _output(missing: Missing) -> Amount:
    count = len(missing.asked_bytes)
    if seen := _seen(missing, _made):
        return seen if missing.max_tokens is None else _capped(seen, float(count * missing.max_tokens))
    if missing.max_tokens is None:
        return _unknown("max_tokens is not set, and no earlier answer tells")
    most = float(count * missing.max_tokens)
    return _between(most / 2, float(count), most, f"assumed half of at most {missing.max_tokens} an answer")


def _dollars(missing: Missing, given: Amount, made: Amount) -> Amount:
    if seen := _seen(missing, missing.cost, by_length=not missing.by_time):
        return seen
    if missing.by_time:
        return _unknown("priced by time, and no earlier answer tells it")
    if given.value is None or made.value is None:
        return _unknown("the tokens are not known")
    count = len(missing.asked_bytes)
    low, value = (
        _priced(missing, count, *ends) for ends in ((given.low, made.low), (given.value, made.value))
    )
    most = dearest(missing.cost, *_each(count, given.high, made.high), missing.tier)
    if value is None or most is None:
        return _unknown("no known price")
    return Amount(value=value, low=low, high=count * most, source="the tokens")


def _priced(missing: Missing, count: int, given: float | None, made: float | None) -> float | None:
    input_tokens, output_tokens = _each(count, given, made)
    counted = Reply(input_tokens=input_tokens, output_tokens=output_tokens, service_tier=missing.tier)
    each = missing.cost(counted)
    return None if each is None else count * each


def _each(count: int, given: float | None, made: float | None) -> tuple[int, int]:
    return round((given or 0.0) / count), round((made or 0.0) / count)


def _seen(missing: Missing, told: Told, *, by_length: bool = False) -> Amount | None:
    """Return the sum by earlier answers, those through the same prompt before all of the model's."""
    for answers, whose in ((missing.prompt, "of this prompt"), (missing.model, "of this model")):
        known = [
            (float(each.asked_bytes if by_length else 0), value)
            for each in answers
            if each.reply.error is None and (value := told(each.reply)) is not None
        ]
        new = [float(size if by_length else 0) for size in missing.asked_bytes]
        if len(known) >= ENOUGH and (found := predicted_sum(known, new)):
            return _at_least_0(found, f"{len(known):,} earlier answers {whose}")
    return None


def _given(reply: Reply) -> float | None:
    return None if reply.usage_source == "estimated" else reply.input_tokens


def _made(reply: Reply) -> float | None:
    return None if reply.usage_source == "estimated" else reply.output_tokens


def _at_least_0(found: Foreseen, source: str) -> Amount:
    value, low, high = (max(0.0, end) for end in found)
    return _between(value, low, high, source)


def _capped(amount: Amount, most: float) -> Amount:
    known = {end: getattr(amount, end) for end in ("value", "low", "high")}
    return replace(amount, **{end: min(told, most) for end, told in known.items() if told is not None})


def _unknown(reason: str) -> Amount:
    return Amount(value=None, low=None, high=None, source=reason)


def _between(value: float, low: float, high: float, source: str) -> Amount:
    return Amount(value=value, low=low, high=high, source=source)
