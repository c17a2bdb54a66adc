"""The server that other tests trust: what it sends is what it counts."""

import asyncio
import json

import aiohttp
import pytest

from tests.servers.behaviour import Behaviour, Bill
from tests.servers.bucket import Bucket
from tests.servers.started import started


def body(text):
    return {"model": "m", "messages": [{"role": "user", "content": text}]}


async def _one(session, url, text):
    try:
        async with session.post(f"{url}/chat/completions", json=body(text)) as reply:
            headers = {name.lower(): value for name, value in reply.headers.items()}
            return reply.status, headers, json.loads(await reply.read())
    except (aiohttp.ClientError, TimeoutError, ValueError) as problem:
        return type(problem).__name__, {}, None


def asked(server, texts, timeout_s=5.0):
    async def work():
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(timeout_s)) as session:
            return await asyncio.gather(*(_one(session, server.url, text) for text in texts))

    return asyncio.run(work())


def test_an_answer_is_counted_as_billed_and_delivered():
    with started(Behaviour()) as server:
        [(status, _, reply)] = asked(server, ["where is it"])
        counts = server.counts()
    assert (status, reply["choices"][0]["message"]["content"]) == (200, "where is it")
    assert reply["usage"] == {"prompt_tokens": 6, "completion_tokens": 3, "total_tokens": 9}
    assert counts.billed == counts.delivered == Bill(calls=1, input_tokens=6, output_tokens=3)
    assert counts.delivered_by_text == {"where is it": 1}


def test_every_fault_reaches_the_client_as_what_it_is():
    faults = ("500", "403", "reset", "cut", "garbage", "hang")
    with started(Behaviour(always={fault: fault for fault in faults})) as server:
        found = asked(server, faults, timeout_s=0.5)
        counts = server.counts()
    assert [status for status, _, _ in found] == [
        500, 403, "ServerDisconnectedError", "ClientPayloadError", "JSONDecodeError", "TimeoutError",
    ]  # fmt: skip
    assert counts.outcomes == dict.fromkeys(faults, 1)
    assert (counts.billed.calls, counts.delivered.calls) == (4, 0)


def test_faults_have_their_share_and_hang_on_text_and_attempt_alone():
    texts = [f"question {n}" for n in range(500)]
    seen = []
    for _ in range(2):
        with started(Behaviour(faults={"500": 0.2, "429": 0.1}, retry_after="none")) as server:
            seen.append([status for status, _, _ in asked(server, texts)])
    assert seen[0] == seen[1]
    assert 60 < seen[0].count(500) < 140
    assert 25 < seen[0].count(429) < 75


def test_a_rate_limit_tells_how_much_is_left_and_when_to_come_again():
    with started(Behaviour(requests_per_min=600, burst=3)) as server:
        found = asked(server, ["a", "b", "c", "d", "e"])
    statuses = sorted(status for status, _, _ in found)
    assert statuses == [200, 200, 200, 429, 429]
    refused = next(headers for status, headers, _ in found if status == 429)
    assert refused["retry-after"] == "1"
    assert (refused["x-ratelimit-limit-requests"], refused["x-ratelimit-remaining-requests"]) == ("3", "0")
    assert refused["x-ratelimit-reset-requests"].endswith("ms")


def test_more_than_the_capacity_is_refused_or_waits():
    texts = ["a", "b", "c", "d"]
    with started(Behaviour(latency_s=0.2, capacity=2, beyond="503")) as server:
        assert sorted(status for status, _, _ in asked(server, texts)) == [200, 200, 503, 503]
    with started(Behaviour(latency_s=0.05, capacity=2)) as server:
        assert [status for status, _, _ in asked(server, texts)] == [200] * 4


@pytest.mark.parametrize("size", [1, 10])
def test_a_bucket_lets_through_its_size_and_then_its_rate(size):
    now = [0.0]
    bucket = Bucket(60, size, lambda: now[0])
    assert sum(bucket.take(1) for _ in range(30)) == size
    assert bucket.wait_s(1) == pytest.approx(1.0)
    now[0] = 1.0
    assert [bucket.take(1), bucket.take(1)] == [True, False]
