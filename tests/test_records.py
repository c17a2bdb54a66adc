"""Rows that were written before a record gained fields."""

import msgspec

from llmops.records import Response
from llmops.replies import Message, Reply, TokenLogprob, ToolCall

STORED = (
    '{"text":"refund_status","finish_reason":"stop","usage":{"prompt_tokens":12},"input_tokens":12,'
    '"output_tokens":3,"served_model":"m-1","fingerprint":"fp-1","latency_s":0.2,"cost_usd":0.001,'
    '"asked_at":"2026-11-01T00:00:00.000+00:00","error":null,"confidence":null}'
)
RESPONSE = (
    '{"suite":"s","example_id":"e-1","model":"bot","prompt":"p","repeat":0,"answer":"refund_status",'
    '"finish_reason":"stop","served_model":"m-1","fingerprint":null,"input_tokens":12,"output_tokens":3,'
    '"latency_s":0.2,"cost_usd":null,"turns":[{"messages":[{"role":"user","content":"hi"}],'
    f'"reply":{STORED}}}],"error":null,"confidence":null}}'
)


def test_a_reply_that_was_stored_before_is_still_read():
    reply = msgspec.json.decode(STORED, type=Reply)
    assert (reply.text, reply.input_tokens, reply.cost_usd) == ("refund_status", 12, 0.001)
    assert (reply.reasoning, reply.tool_calls, reply.logprobs, reply.unheeded) == (None, [], [], [])
    assert (reply.usage_source, reply.first_token_s) == (None, None)


def test_a_response_that_was_written_before_is_still_read():
    response = msgspec.json.decode(RESPONSE, type=Response)
    assert response.turns[0].messages == [Message(role="user", content="hi")]
    assert (response.answer, response.unheeded, response.usage_source) == ("refund_status", [], None)


def test_a_reply_is_kept_without_what_it_does_not_tell():
    assert msgspec.json.encode(Reply(text="x", output_tokens=1)) == b'{"text":"x","output_tokens":1}'


def test_calls_and_logprobs_survive_being_written():
    calls = [ToolCall(id="c-1", name="weather", arguments='{"city": "서울"}')]
    logprobs = [TokenLogprob("서", -0.25, [("서", -0.25), ("부", -1.5)]), TokenLogprob("울", 0.0)]
    reply = Reply(reasoning="hm", tool_calls=calls, logprobs=logprobs)
    written = msgspec.json.encode(reply)
    assert msgspec.json.decode(written, type=Reply) == reply
    assert '"logprobs":[["서",-0.25,[["서",-0.25],["부",-1.5]]],["울",0.0,[]]]' in written.decode()
