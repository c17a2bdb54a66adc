"""Errors of servers, in the shapes that they were seen in."""

import pytest

from llmops.models.protocol.faults import read_error

NOT_FOUND = "Unexpected endpoint or method. (POST /chat/completions). Returning 200 anyway"


@pytest.mark.parametrize(
    ("status", "body", "kind", "transient"),
    [
        (400, [{"error": {"code": 400, "message": "bad", "status": "INVALID_ARGUMENT"}}], "refused", False),
        (200, {"error": NOT_FOUND}, "unknown", False),
        (402, {"error": {"message": "Insufficient Balance", "type": "unknown_error"}}, "quota", False),
        (200, {"error": {"code": 402, "message": "Insufficient credits"}}, "quota", False),
        (404, {"object": "error", "message": "The model `m` does not exist.", "code": 404}, "unknown", False),
        (404, "404 page not found", "unknown", False),
        (405, {"detail": "Method Not Allowed"}, "refused", False),
        (529, {"type": "error", "error": {"type": "overloaded_error", "message": "x"}}, "overloaded", True),
        (307, "", "server_error", True),
    ],
)  # fmt: skip
def test_an_error_has_its_kind(status, body, kind, transient):
    fault = read_error(status, body)
    assert (fault.kind, fault.transient) == (kind, transient)


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "the request exceeds the available context size. try increasing the context size"),
        (400, "Requested tokens (2005) exceed context window of 256"),
        (400, "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens"),
        (400, "The decoder prompt (length 5000) is longer than the maximum model length of 4096."),
        (400, "The input (5000 tokens) is longer than the model's context length (4096 tokens)."),
        (422, "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000"),
        (400, "prompt is too long: 210000 tokens > 200000 maximum"),
        (400, "Input is too long for requested model."),
        (400, "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."),
        (400, "the input length exceeds the context length"),
        (200, "Trying to keep the first 5000 tokens when context the overflows. However, the model is"
              " loaded with context length of only 4096 tokens"),
        (500, "Context size has been exceeded."),
        (400, "input length and `max_tokens` exceed context limit: 199000 + 8192 > 200000, decrease input length"),
        (400, "litellm.ContextWindowExceededError: litellm.BadRequestError: AnthropicException"),
    ],
)  # fmt: skip
def test_a_prompt_over_the_context_is_known_by_each_servers_words(status, message):
    fault = read_error(status, {"error": {"message": message}})
    assert (fault.kind, fault.transient, str(fault)) == ("context_overflow", False, message)


def test_being_too_fast_is_no_prompt_that_is_too_long():
    said = "Limit 30000 tokens per min: too many tokens"
    assert read_error(429, {"error": {"message": said}}).kind == "rate_limited"


@pytest.mark.parametrize("place", ["code", "message", "other"])
def test_an_error_that_is_nested_too_deeply_to_be_written_keeps_its_status(place):
    deep = []
    for _ in range(100_000):
        deep = [deep]
    fault = read_error(400, {"error": {place: deep}})
    assert (fault.kind, str(fault)) == ("refused", "HTTP 400: an error that is nested too deeply")
