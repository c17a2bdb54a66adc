"""What params.yaml may say of a model, one record a kind."""

from typing import Any, Literal

import msgspec

from llmops.prices import Price
from llmops.record import Record
from llmops.replies import Sampling

OPENAI_URL = "https://api.openai.com/v1"


class BatchSpec(Record, frozen=True):
    """What a provider takes in one batch, and how often it is looked at."""

    max_requests: int = 50_000
    max_bytes: int = 200_000_000
    """Of the file that is uploaded."""
    poll_s: float = 60.0
    """Seconds between two looks at a batch, at most; the first come sooner."""


class OpenAISpec(Record, frozen=True, tag_field="kind", tag="openai"):
    """A server that speaks the OpenAI chat protocol."""

    model: str
    base_url: str = OPENAI_URL
    key: str | None = None
    """Name of the environment variable that holds the key; OPENAI_API_KEY at OpenAI, none elsewhere."""
    sampling: Sampling = Sampling()
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] | None = None
    """The field that caps the answer; ``max_completion_tokens`` at OpenAI, ``max_tokens`` elsewhere."""
    extra: dict[str, Any] = msgspec.field(default_factory=dict)
    """Merged into the request's body; a null takes a field out of it. ``catalog.TAKEN`` is refused."""
    price: Price | None = None
    timeout_s: float = 300.0
    """Seconds that one attempt may take by the clock, however busy the connection is."""
    concurrency: int | None = None
    context: int | None = None
    """Tokens that the server holds: a prompt that it counts as many for is an error, for servers that
    answer it all the same. None leaves that to the server."""
    mode: Literal["direct", "batch"] = "direct"
    """How it is asked, which does not change its answers: request by request, or in batches."""
    batch: BatchSpec | None = None
    """None for the limits of OpenAI."""


class LlamaCppSpec(Record, frozen=True, tag_field="kind", tag="llamacpp"):
    """A GGUF file, served in this process by llama.cpp."""

    file: str
    """Path below the project's folder."""
    context: int = 2048
    """Tokens of a prompt with its answer; at most what the model was trained for."""
    slots: int | None = None
    """Requests answered side by side, each by one thread of its own, so that answers do not depend on
    it; None for as many as there are cores, at most 8."""
    sampling: Sampling = Sampling()
    price: Price | None = None


class TransformersSpec(Record, frozen=True, tag_field="kind", tag="transformers"):
    """A Hugging Face model, run in this process."""

    model: str
    """A folder below the project's, or a name on the hub."""
    device: str = "cpu"
    sampling: Sampling = Sampling()
    price: Price | None = None


class RecordedSpec(Record, frozen=True, tag_field="kind", tag="recorded"):
    """Answers that exist already, in a file."""

    file: str
    """Path below the project's folder, or the name of one of the data set's files; ``*`` stands for any
    text, so that several files may be meant."""
    answer: str
    """Dotted path of the answer in a row, e.g. ``175b_verification.solution``."""
    match: str | dict[str, str] = "id"
    """File field → example field that name the same example; one word when both are called that.
    The example field ``id`` is the example's id, any other is one of its inputs."""
    where: dict[str, Any] = msgspec.field(default_factory=dict)
    """Field → value: the rows that are this model's answers; all when empty."""
    dataset: str | None = None
    """The data set that the file was fetched with, if it was."""
    model: str | None = None
    """Dotted paths of what else a row may tell."""
    latency_s: str | None = None
    input_tokens: str | None = None
    output_tokens: str | None = None
    cost_usd: str | None = None


class PythonSpec(Record, frozen=True, tag_field="kind", tag="python"):
    """A function of the user's own application."""

    file: str
    """Path below the project's folder."""
    function: str
    files: list[str] = msgspec.field(default_factory=list)
    """Other files that its answers depend on; a change in one asks anew."""
    price: Price | None = None
    concurrency: int = 8


LATE = ("logprobs", "top_logprobs", "stream")
"""What sampling could not ask for at first: left out of an identity that does not ask for it, so that
answers that were stored before keep their keys."""

ModelSpec = OpenAISpec | LlamaCppSpec | TransformersSpec | RecordedSpec | PythonSpec


def sampling_identity(sampling: Sampling) -> dict[str, Any]:
    """Return the sampling as it stands in a model's identity, without what it does not ask for."""
    fields: dict[str, Any] = msgspec.to_builtins(sampling)
    plain = msgspec.to_builtins(Sampling())
    for late in LATE:
        if fields[late] == plain[late]:
            del fields[late]
    return fields
