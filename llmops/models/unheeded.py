"""What a server was asked and did not do, which no error tells."""

from collections import Counter

import msgspec

from llmops.errors import UserError
from llmops.replies import Reply, Request, ResponseFormat, Sampling
from llmops.schemas import holds


def unheeded(reply: Reply, request: Request, sampling: Sampling) -> list[str]:
    """Return the names of what the answer shows to have been ignored, sorted.

    - ``logprobs``: none came.
    - ``max_tokens``: the server counts more tokens than the cap; an estimate proves nothing.
    - ``response_format``: the text is no JSON that holds to the schema, be it that the cap cut it off.
    - ``stop``: the text holds one of the stop texts.
    - ``stream``: the answer came as a whole.

    Does not cover temperature, top_p and seed, which no single answer can show, nor a schema that cannot
    be applied: an answer that is paid for is not lost to it.
    """
    if reply.error is not None:
        return []
    text, cap, schema = reply.text, sampling.max_tokens, request.response_format
    ignored = {
        "logprobs": sampling.logprobs and not reply.logprobs,
        "max_tokens": cap is not None and reply.usage_source == "server" and (reply.output_tokens or 0) > cap,
        "response_format": schema is not None and text is not None and not _holds(text, schema),
        "stop": any(stop in (text or "") for stop in sampling.stop),
        "stream": sampling.stream and reply.first_token_s is None,
    }
    return sorted(name for name, shown in ignored.items() if shown)


def told_unheeded(shown: Counter[str], answers: int) -> str:
    """Return in how many of a model's answers each thing was not heeded, e.g. ``max_tokens in 3 of 9``."""
    return (
        f"not heeded: {', '.join(f'{name} in {n}' for name, n in sorted(shown.items()))} of {answers} answers"
    )


def _holds(text: str, wanted: ResponseFormat) -> bool:
    try:
        return holds(text, msgspec.json.encode(wanted.json_schema).decode(), "response_format")
    except UserError:
        return True
