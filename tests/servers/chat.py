"""A chat server on loopback in a process of its own: latency, faults, rate limits, and a count of everything.

`python -m tests.servers.chat '{"latency_s": 0.2}'` prints its address and serves until its input ends.
"""

import asyncio
import json
import math
import sys
import zlib
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from time import monotonic
from typing import Any

import msgspec
from aiohttp import web

from tests.servers.behaviour import Behaviour, Bill, Counts
from tests.servers.bucket import Bucket

BROKEN = frozenset({"reset", "cut", "garbage", "hang"})
"""Outcomes for which an answer was made that does not arrive whole."""
BACKLOG = 1024
CODES = {
    400: "invalid_request_error", 401: "invalid_api_key", 403: "forbidden", 404: "model_not_found",
    429: "rate_limit_exceeded",
}  # fmt: skip


class Chat:
    """One server's state."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.told = behaviour
        self.lanes = asyncio.Semaphore(behaviour.capacity or 1_000_000)
        self.buckets = _buckets(behaviour)
        self.attempts, self.outcomes = Counter[str](), Counter[str]()
        self.delivered_by_text = Counter[str]()
        self.billed = self.delivered = Bill()
        self.busy = self.busiest = 0
        self.first_at = self.last_at = 0.0

    async def complete(self, request: web.Request) -> web.StreamResponse:
        """Answer one attempt as the behaviour says."""
        self.first_at = self.first_at or monotonic()
        body = await request.json()
        text = _text(body)
        self.attempts[text] += 1
        self.busy += 1
        self.busiest = max(self.busiest, self.busy)
        try:
            return await self._outcome(request, body, text)
        finally:
            self.busy -= 1
            self.last_at = monotonic()

    async def _outcome(self, request: web.Request, body: dict[str, Any], text: str) -> web.StreamResponse:
        outcome = self._chosen(body, text)
        rates = self._rates()
        self.outcomes[outcome] += 1
        if outcome.isdigit():
            return self._refusal(int(outcome), body, rates)
        bill = Bill(calls=1, input_tokens=_input_tokens(body), output_tokens=self.told.output_tokens)
        self.billed = _sum(self.billed, bill)
        if outcome == "hang":
            await asyncio.sleep(self.told.hang_s)
        async with self.lanes:
            await asyncio.sleep(self.told.latency_s + self.told.latency_spread_s * _drawn(f"latency {text}"))
        if outcome in BROKEN:
            return await _broken(request, outcome)
        self.delivered = _sum(self.delivered, bill)
        self.delivered_by_text[text] += 1
        if self.told.rate_headers == "answered":
            rates = self._rates()
        return web.json_response(
            _completion(self.told.answer or text, bill, body.get("model")), headers=rates
        )

    def _chosen(self, body: dict[str, Any], text: str) -> str:
        for word, outcome in self.told.always.items():
            if word in text:
                return outcome
        if not self._fits(body):
            return "429"
        if self.told.beyond != "queue" and self.busy > (self.told.capacity or self.busy):
            return self.told.beyond
        draw = _drawn(f"{self.told.seed} {self.attempts[text]} {text}")
        for outcome, share in self.told.faults.items():
            if draw < share:
                return outcome
            draw -= share
        return "ok"

    def _fits(self, body: dict[str, Any]) -> bool:
        amounts = self._amounts(body)
        return all(bucket.take(amounts[unit]) for unit, bucket in self.buckets.items())

    def _amounts(self, body: dict[str, Any]) -> dict[str, float]:
        return {"requests": 1, "tokens": _input_tokens(body) + self.told.output_tokens}

    def _refusal(self, status: int, body: dict[str, Any], headers: dict[str, str]) -> web.Response:
        if status in {429, 503}:
            amounts = self._amounts(body)
            waits = [bucket.wait_s(amounts[unit]) for unit, bucket in self.buckets.items()]
            headers |= self._retry_after(max(1, math.ceil(max(waits, default=1))))
        error = {
            "message": f"told to answer {status}",
            "code": CODES.get(status, "server_error"),
            "type": "x",
        }
        return web.json_response({"error": error}, status=status, headers=headers)

    def _retry_after(self, wait_s: int) -> dict[str, str]:
        match self.told.retry_after:
            case "none":
                return {}
            case "seconds":
                return {"retry-after": str(wait_s)}
        until = datetime.now(UTC) + timedelta(seconds=wait_s)
        return {"retry-after": format_datetime(until, usegmt=True)}

    def _rates(self) -> dict[str, str]:
        """Return the headers; ``reset`` is the time until the bucket is full, as OpenAI means it."""
        if not self.told.rate_headers:
            return {}
        found = {}
        for unit, bucket in self.buckets.items():
            bucket.take(0)
            found[f"x-ratelimit-limit-{unit}"] = f"{bucket.size:.0f}"
            found[f"x-ratelimit-remaining-{unit}"] = f"{max(0, math.floor(bucket.level))}"
            found[f"x-ratelimit-reset-{unit}"] = _go_duration(bucket.full_in_s)
        return found

    async def counts(self, request: web.Request) -> web.Response:
        """Tell what was counted."""
        told = Counts(
            requests=sum(self.outcomes.values()),
            outcomes=dict(self.outcomes),
            billed=self.billed,
            delivered=self.delivered,
            delivered_by_text=dict(self.delivered_by_text),
            busiest=self.busiest,
            seconds=self.last_at - self.first_at,
        )
        return web.Response(body=msgspec.json.encode(told), content_type="application/json")


def _buckets(told: Behaviour) -> dict[str, Bucket]:
    found = {}
    if told.requests_per_min:
        found["requests"] = Bucket(told.requests_per_min, told.burst or told.requests_per_min)
    if told.tokens_per_min:
        found["tokens"] = Bucket(told.tokens_per_min, told.tokens_per_min)
    return found


async def _broken(request: web.Request, outcome: str) -> web.StreamResponse:
    if outcome == "garbage":
        return web.Response(
            body=b'{"choices": [{"message": {"content": "half', content_type="application/json"
        )
    if outcome == "cut":
        response = web.StreamResponse(headers={"content-length": "500", "content-type": "application/json"})
        await response.prepare(request)
        await response.write(b'{"choices": [{"message": {"content": "half')
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _completion(answer: str, bill: Bill, model: Any) -> dict[str, Any]:
    return {
        "id": "c-1",
        "object": "chat.completion",
        "model": model,
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": answer}, "finish_reason": "stop"}
        ],
        "usage": {
            "prompt_tokens": bill.input_tokens,
            "completion_tokens": bill.output_tokens,
            "total_tokens": bill.input_tokens + bill.output_tokens,
        },
    }


def _text(body: dict[str, Any]) -> str:
    return str(body["messages"][-1]["content"])


def _input_tokens(body: dict[str, Any]) -> int:
    return sum(4 + len(str(message["content"]).encode()) // 4 for message in body["messages"])


def _sum(one: Bill, other: Bill) -> Bill:
    return Bill(
        calls=one.calls + other.calls,
        input_tokens=one.input_tokens + other.input_tokens,
        output_tokens=one.output_tokens + other.output_tokens,
    )


def _drawn(text: str) -> float:
    return zlib.crc32(text.encode("utf-8", "surrogatepass")) / 2**32


def _go_duration(seconds: float) -> str:
    """Return a duration as Go writes it: ``6m0s``, ``1.5s``, ``20ms``."""
    if seconds < 1:
        return f"{math.ceil(seconds * 1000)}ms"
    minutes, rest = divmod(seconds, 60)
    return f"{minutes:.0f}m{rest:.3f}s" if minutes else f"{rest:.3f}s"


async def _serve(behaviour: Behaviour) -> None:
    chat = Chat(behaviour)
    app = web.Application(client_max_size=2**26)
    app.router.add_post("/v1/chat/completions", chat.complete)
    app.router.add_get("/counts", chat.counts)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=BACKLOG).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.to_thread(sys.stdin.read)  # ends with the process that started it
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(_serve(msgspec.convert(json.loads(sys.argv[1]), Behaviour)))
