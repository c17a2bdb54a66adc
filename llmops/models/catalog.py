"""The kinds of model there are."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from llmops.config import convert
from llmops.errors import UserError
from llmops.models.model import Model
from llmops.models.specs import (
    BatchSpec,
    LlamaCppSpec,
    ModelSpec,
    OpenAISpec,
    PythonSpec,
    RecordedSpec,
    TransformersSpec,
)
from llmops.places import Places
from llmops.prices import Price
from llmops.replies import Request, Sampling

MOST_TOP_LOGPROBS = 20
"""What OpenAI takes; servers of one's own take as many or fewer."""
CAP = "set sampling.max_tokens, and max_tokens_field where the server wants it under another name"
TAKEN = {
    "n": "one answer is asked for at a time, more by the suite's `repeats`",
    "stream": "write `stream: true` below sampling",
    "messages": "a prompt file holds them",
    "max_tokens": CAP,
    "max_completion_tokens": CAP,
}
"""What ``extra`` may neither set nor take out, and what to do instead."""

Opener = Callable[[str, Any, Places], Model]


def _openai(name: str, spec: OpenAISpec, places: Places) -> Model:
    from llmops.models.protocol.chat import open_openai

    return open_openai(name, spec)


def _llamacpp(name: str, spec: LlamaCppSpec, places: Places) -> Model:
    from llmops.models.llamacpp import open_llamacpp

    return open_llamacpp(name, spec, places.root)


def _transformers(name: str, spec: TransformersSpec, places: Places) -> Model:
    from llmops.models.hugging_face import open_transformers

    return open_transformers(name, spec, places.root)


def _recorded(name: str, spec: RecordedSpec, places: Places) -> Model:
    from llmops.models.recorded import open_recorded

    return open_recorded(name, spec, places)


def _python(name: str, spec: PythonSpec, places: Places) -> Model:
    from llmops.models.application import open_python

    return open_python(name, spec, places.root)


KINDS: dict[str, tuple[Any, Opener]] = {
    "openai": (OpenAISpec, _openai),
    "llamacpp": (LlamaCppSpec, _llamacpp),
    "transformers": (TransformersSpec, _transformers),
    "recorded": (RecordedSpec, _recorded),
    "python": (PythonSpec, _python),
}
"""Kind → the record of its settings, and what opens it (a kind's libraries load only then)."""


WEIGHING = (LlamaCppSpec, TransformersSpec)
"""The models that can be asked how likely given texts are."""

NO_WEIGHING = {
    "openai": "tells log-probabilities of what it writes only, not of a given text",
    "recorded": "holds written answers, not how likely each choice was",
    "python": "gives an answer, not how likely each choice is",
}
"""Kind → why it is not among them."""


def parse_spec(name: str, raw: Any) -> ModelSpec:
    """Return the settings of the model ``name``, as params.yaml gives them.

    Raises:
        UserError: an unknown kind or key, a wrong type, or a sampling value out of its range.
    """
    where = f"params.yaml: models: {name}"
    if not isinstance(raw, dict):
        raise UserError(f"{where}: is {raw!r}; must be a mapping with a kind, one of {sorted(KINDS)}")
    kind = raw.get("kind")
    if kind not in KINDS:
        raise UserError(f"{where}: kind: is {kind!r}; must be one of {sorted(KINDS)}")
    spec: ModelSpec = convert(raw, KINDS[kind][0], where)
    if isinstance(spec, OpenAISpec | LlamaCppSpec | TransformersSpec):
        _check_sampling(spec.sampling, f"{where}: sampling")
    check_price(getattr(spec, "price", None), f"{where}: price")
    if isinstance(spec, OpenAISpec):
        _check_extra(spec.extra, f"{where}: extra")
        _check_batch(spec, where)
    if isinstance(spec, TransformersSpec) and spec.sampling.logprobs:
        raise UserError(f"{where}: sampling: logprobs: kind 'transformers' reports none; take it out")
    if isinstance(spec, LlamaCppSpec | TransformersSpec) and spec.sampling.stream:
        raise UserError(f"{where}: sampling: stream: kind {kind!r} answers as a whole; take it out")
    for field in ("context", "slots", "concurrency", "timeout_s"):
        _check(field, getattr(spec, field, None), lambda value: value > 0, f"{where}: {{}}; must be above 0")
    return spec


def hold_to_weighing(specs: Mapping[str, ModelSpec], where: str) -> None:
    """Refuse models that cannot tell how likely a given text is.

    Raises:
        UserError: a chat endpoint, an application, or answers that exist already (starts with ``where``).
    """
    for name, spec in specs.items():
        if not isinstance(spec, WEIGHING):
            kind = next(kind for kind, (record, _) in KINDS.items() if isinstance(spec, record))
            raise UserError(
                f"{where}: {name!r} is of kind {kind!r}, which {NO_WEIGHING[kind]}; take a model of kind"
                " llamacpp or transformers, or the task 'choice' or 'label', which reads a written answer"
            )


def open_model(name: str, spec: ModelSpec, places: Places) -> Model:
    """Return the model, ready to be asked.

    Args:
        places: the project's folder, which the spec's paths lie below, and where its data sets are.

    Raises:
        UserError: a missing file, key or package.
    """
    opener = next(opener for kind, opener in KINDS.values() if isinstance(spec, kind))
    return opener(name, spec, places)


def closed_model(name: str, spec: ModelSpec, places: Places) -> Model:
    """Return the model with its identity and wire, so that every request has its key.

    It needs no key of an API, no server and no memory, and cannot be asked. What a `transformers`
    model is shows only when it is loaded, so that one is opened.

    Raises:
        UserError: a missing file, or an address that is none.
    """
    match spec:
        case OpenAISpec():
            from llmops.models.protocol.chat import closed_openai

            return closed_openai(name, spec)
        case LlamaCppSpec():
            from llmops.models.llamacpp import closed_llamacpp

            return closed_llamacpp(name, spec, places.root)
        case PythonSpec():
            from llmops.models.application import closed_python

            return closed_python(name, spec, places.root)
    return open_model(name, spec, places)


def tokenizer(name: str, spec: ModelSpec, places: Places) -> Callable[[Request], int] | None:
    """Return what counts a request's tokens as the model does, None where only its server knows.

    Raises:
        UserError: a missing file.
    """
    match spec:
        case LlamaCppSpec():
            from llmops.models.llamacpp import counting

            return counting(name, spec, places.root)
        case TransformersSpec():
            from llmops.models.hugging_face import counting as counting_by_tokenizer

            return counting_by_tokenizer(name, spec, places.root)
    return None


def _check_sampling(sampling: Sampling, where: str) -> None:
    _check("temperature", sampling.temperature, lambda t: t >= 0, f"{where}: {{}}; must be 0 or more")
    _check("top_p", sampling.top_p, lambda p: 0 < p <= 1, f"{where}: {{}}; must be above 0 and at most 1")
    _check("max_tokens", sampling.max_tokens, lambda n: n >= 1, f"{where}: {{}}; must be at least 1")
    most, told = MOST_TOP_LOGPROBS, sampling.top_logprobs
    _check("top_logprobs", told, lambda n: 0 <= n <= most, f"{where}: {{}}; must be 0 to {most}")
    if told is not None and not sampling.logprobs:
        raise UserError(f"{where}: top_logprobs: needs logprobs; add `logprobs: true`")


def _check_extra(extra: dict[str, Any], where: str) -> None:
    """Refuse what would make a reply another than the one answer that is read of it, or undo its cap."""
    for field, instead in TAKEN.items():
        if field in extra:
            raise UserError(f"{where}: {field}: cannot be set here; {instead}")


def _check_batch(spec: OpenAISpec, where: str) -> None:
    if spec.mode == "direct":
        return
    if spec.sampling.stream:
        raise UserError(f"{where}: sampling: stream: a batch answers as a whole; take it out")
    if spec.price is not None and spec.price.per_hour_usd is not None:
        raise UserError(f"{where}: price: per_hour_usd: a batch tells no time; give a price by token")
    limits = spec.batch or BatchSpec()
    for field in ("max_requests", "max_bytes", "poll_s"):
        _check(field, getattr(limits, field), lambda n: n > 0, f"{where}: batch: {{}}; must be above 0")


def check_price(price: Price | None, where: str) -> None:
    """Refuse what is no price.

    Raises:
        UserError: a rate below 0, or a price both by the hour and by token.
    """
    if price is None:
        return
    rates: dict[str, float | None] = msgspec.to_builtins(price)
    for field, rate in rates.items():
        _check(field, rate, lambda usd: usd >= 0, f"{where}: {{}}; must be 0 or more")
    _check("shared_by", price.shared_by, lambda n: n >= 1, f"{where}: {{}}; must be at least 1")
    if price.per_hour_usd is not None and any(
        rate is not None for field, rate in rates.items() if field.endswith("_per_mtok_usd")
    ):
        raise UserError(f"{where}: is by the hour and by token; give one of the two")


def _check(field: str, value: float | None, holds: Callable[[float], bool], message: str) -> None:
    if value is not None and not holds(value):
        raise UserError(message.format(f"{field}: is {value!r}"))
