"""The requests that wait for their batch, each with who is to be answered."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from llmops.models.meter import Meter
from llmops.replies import Reply, Request

Answer = Reply | Exception


@dataclass(frozen=True)
class Asker:
    """A request that waits for its reply, and the meter that it is booked in."""

    request: Request
    meter: Meter
    reply: asyncio.Future[Reply]


@dataclass
class Askers:
    """Who waits, by the store's key."""

    waiting: dict[str, Asker] = field(default_factory=dict)
    unsent: dict[str, None] = field(default_factory=dict)
    """Keys that were not looked at yet, in the order in which they came."""
    came: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, key: str, request: Request, meter: Meter) -> Asker:
        """Take in a request, and return it with the future of its reply."""
        asker = Asker(request, meter, asyncio.get_running_loop().create_future())
        self.waiting[key], self.unsent[key] = asker, None
        self.came.set()
        return asker

    def leave(self, key: str, asker: Asker) -> None:
        """Forget an asker who has his reply, or does not want it any more."""
        if asker.reply.done() and not asker.reply.cancelled():
            asker.reply.exception()  # taken note of, even where the asker was cancelled meanwhile
        if self.waiting.get(key) is asker:
            del self.waiting[key]
            self.unsent.pop(key, None)

    def take_unsent(self) -> list[str]:
        """Return the keys that nobody looked at yet, once."""
        keys, self.unsent = list(self.unsent), {}
        return keys

    def sent(self) -> dict[str, Asker]:
        """Return who waits for a batch, by key."""
        return {
            key: asker
            for key, asker in self.waiting.items()
            if key not in self.unsent and not asker.reply.done()
        }

    def answer(self, key: str, answer: Answer) -> None:
        """Answer who waits for the key, if anybody does."""
        asker = self.waiting.get(key)
        if asker is None or asker.reply.done():
            return
        if isinstance(answer, Reply):
            asker.reply.set_result(answer)
        else:
            asker.reply.set_exception(answer)

    def requests(self, keys: Iterable[str]) -> dict[str, Request | None]:
        """Return the request of each key, None for one that nobody waits for."""
        found = {key: self.waiting.get(key) for key in keys}
        return {key: asker.request if asker else None for key, asker in found.items()}

    def fail(self, keys: Iterable[str], problem: Exception) -> None:
        """Give several askers the same problem."""
        for key in list(keys):
            self.answer(key, problem)

    async def more_within(self, seconds: float) -> bool:
        """Wait, and return whether another request came meanwhile, which ends the wait."""
        self.came.clear()
        try:
            async with asyncio.timeout(seconds):
                return await self.came.wait()
        except TimeoutError:
            return False
