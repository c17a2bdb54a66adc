"""Rate limits that a server tells of, through the whole stack."""

import asyncio
from contextlib import closing

from llmops.models.meter import Meter
from llmops.models.protocol.chat import open_openai
from llmops.models.specs import OpenAISpec
from llmops.models.stack import Limits, stacked
from llmops.models.store.store import open_store
from tests.servers.behaviour import Behaviour
from tests.servers.started import started


def test_tokens_that_a_server_tells_of_are_waited_for(tmp_path, run, request_of):
    texts = [f"question {number} {'x' * 400}" for number in range(58)]

    async def work(url):
        model = open_openai("bot", OpenAISpec(model="m", base_url=url))
        with closing(open_store(f"sqlite:///{tmp_path / 'store.db'}")) as store:
            ask = stacked(model, store, Meter(), Limits(concurrency=8)).ask
            replies = await asyncio.gather(*(ask(request_of(text)) for text in texts))
        await model.close()
        return replies

    with started(Behaviour(tokens_per_min=6000.0, latency_s=0.02)) as server:
        replies = run(work(server.url))
        counts = server.counts()
    tokens = sum(reply.input_tokens + reply.output_tokens for reply in replies)
    assert tokens > 6000 + 200
    assert counts.outcomes.get("429", 0) <= 1
    assert counts.seconds <= (tokens - 6000) / 100 / 0.95 + 1.0
