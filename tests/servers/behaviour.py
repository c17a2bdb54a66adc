"""What a test server is told before it starts, with what it counted since, each as one JSON-able record."""

from typing import Literal

from llmops.record import Record


class Behaviour(Record):
    """How the server answers; as it stands, at once and without fault."""

    latency_s: float = 0.0
    latency_spread_s: float = 0.0
    """Drawn evenly on top, the same for the same text."""
    answer: str | None = None
    """What it always answers; the last message's own text when None."""
    says: dict[str, str] = {}
    """Words → what it answers where its last message holds them; the first that does counts."""
    output_tokens: int = 3
    faults: dict[str, float] = {}
    """Outcome → its share of the attempts. An outcome is an HTTP status (``"500"``) or one of ``reset``
    (the connection breaks instead of an answer), ``cut`` (in the midst of it), ``garbage`` (200 with a
    body that is no JSON), ``hang`` (no answer for ``hang_s``)."""
    always: dict[str, str] = {}
    """Word → the outcome of every attempt at a request whose last message holds it."""
    hang_s: float = 3600.0
    seed: int = 0
    """What fault meets which attempt hangs on the seed, the last message and the attempt's number alone."""
    requests_per_min: float | None = None
    burst: float | None = None
    """How many may come at once, the size of the bucket; a minute's worth when None."""
    tokens_per_min: float | None = None
    rate_headers: Literal["asked", "answered"] | None = "asked"
    """Send ``x-ratelimit-{limit,remaining,reset}-{requests,tokens}`` with every reply: as it stood when the
    request came, or when its answer leaves. None sends none."""
    retry_after: Literal["seconds", "date", "none"] = "seconds"
    """How a 429 or 503 says when to come again."""
    capacity: int | None = None
    """Requests served side by side."""
    beyond: Literal["queue", "429", "503"] = "queue"
    """What meets a request beyond the capacity."""


class Bill(Record):
    """Calls that brought an answer into being, and their tokens."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0


class Counts(Record):
    """What the server saw and owes the world since it started."""

    requests: int
    """Attempts that reached it, whatever came of them."""
    outcomes: dict[str, int]
    """Outcome → attempts; ``ok`` is a whole answer."""
    billed: Bill
    """Every answer made, whether or not it arrived whole: ``ok``, ``reset``, ``cut``, ``garbage``, ``hang``."""
    delivered: Bill
    """Of these, the whole ones."""
    delivered_by_text: dict[str, int]
    """The last message's text → whole answers to it."""
    busiest: int
    """Most requests in work at one time."""
    seconds: float
    """From the first attempt to the last reply."""
