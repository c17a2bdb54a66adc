"""The Reply that tells how likely a model holds each of the given choices to be.

A choice's log-probability is the sum of those of its tokens, each given the prompt and the tokens
before it. No end of the answer is among them, as in lm-evaluation-harness (``loglikelihood``).
"""

import math
from collections.abc import Sequence
from typing import Any

from llmops.errors import WorldError
from llmops.models.protocol.body import spoken
from llmops.replies import ChoiceLogprobs, Reply, Request

Tokens = list[int]

SCORED = "scored"
"""The ``finish_reason`` of an answer that was not written, but found likeliest."""


def choices_body(request: Request) -> dict[str, Any]:
    """Return what is sent where choices are weighed: nothing is drawn, so no sampling."""
    body: dict[str, Any] = {
        "messages": [spoken(message) for message in request.messages],
        "choices": request.choices,
    }
    return {**body, "tools": request.tools} if request.tools else body


def continuation(prompt: Tokens, whole: Tokens, alone: Tokens) -> Tokens:
    """Return the tokens of a choice after its prompt.

    Prompt and choice are read as one text, as a tokeniser that puts a space before every text
    needs. Where the choice's first letters would join the prompt's last token, the choice's own
    tokens are taken: the prompt is the one that an answer would be written after.

    Args:
        whole: of prompt and choice as one text.
        alone: of the choice by itself.

    Raises:
        WorldError: the choice has no tokens.
    """
    joined = whole[: len(prompt)] == prompt
    tokens = whole[len(prompt) :] if joined else alone
    if not tokens:
        raise WorldError("refused", "a choice without any token cannot be weighed", transient=False)
    return tokens


def choices_reply(choices: Sequence[str], logprobs: Sequence[Sequence[float]], input_tokens: int) -> Reply:
    """Return the reply whose text is the likeliest choice, the first of equals.

    Its ``confidence`` is that choice's share of all choices' probabilities: the softmax of the sums.

    Args:
        logprobs: of each choice's tokens, natural logarithms.
        input_tokens: of the prompt, which is read once; the choices' tokens are the output's.
    """
    sums = [round(math.fsum(each), 6) for each in logprobs]
    best = max(range(len(sums)), key=sums.__getitem__)
    made = sum(len(each) for each in logprobs)
    return Reply(
        text=choices[best],
        finish_reason=SCORED,
        usage={
            "prompt_tokens": input_tokens,
            "completion_tokens": made,
            "total_tokens": input_tokens + made,
        },
        usage_source="server",
        input_tokens=input_tokens,
        output_tokens=made,
        confidence=1 / math.fsum(math.exp(each - sums[best]) for each in sums),
        choice_logprobs=ChoiceLogprobs(
            sums=sums,
            tokens=[len(each) for each in logprobs],
            bytes=[len(choice.encode("utf-8", "surrogatepass")) for choice in choices],
        ),
    )
