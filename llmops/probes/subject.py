"""A model under examination: asked through its stack, but never from the store."""

from typing import Any

from msgspec.structs import replace

from llmops.errors import UserError, WorldError
from llmops.models.catalog import open_model
from llmops.models.limits.told import RateLimit, Unit
from llmops.models.meter import Meter
from llmops.models.metered import metered
from llmops.models.model import Model
from llmops.models.specs import ModelSpec, OpenAISpec
from llmops.models.timed import timed
from llmops.places import Places
from llmops.prices import pricing
from llmops.probes.finding import SETTINGS
from llmops.replies import Fault, Message, Reply, Request, Sampling

MOST_TOKENS = 64
"""Cap of an answer where the model's own settings have none."""
QUESTION = "Say hello."


class Subject:
    """A model of params.yaml, and the ledger of what examining it took.

    Args:
        name: in params.yaml.
        sampling: as params.yaml has it, capped.
        batched: runs ask it in batches; here it is asked directly, of the same server with the same key.

    Raises:
        UserError: it cannot be opened.
    """

    def __init__(self, name: str, spec: ModelSpec, places: Places) -> None:
        self.name, self.places = name, places
        self.batched = isinstance(spec, OpenAISpec) and spec.mode == "batch"
        self.spec: Any = replace(spec, mode="direct") if self.batched else spec
        self.meter = Meter()
        own: Sampling = getattr(spec, "sampling", Sampling())
        self.sampling = replace(own, max_tokens=own.max_tokens or MOST_TOKENS)
        self._model = self._opened(self._with_sampling(self.sampling))

    async def ask(self, text: str = QUESTION, **parts: Any) -> Reply:
        """Return the reply to a message of the user's; a fault is its error.

        Args:
            parts: fields of the Request; ``messages`` go before the text.
        """
        return await self._asked(self._model, _request(text, parts))

    async def ask_with(
        self, text: str = QUESTION, sampling: dict[str, Any] | None = None, **changes: Any
    ) -> Reply:
        """Return the reply of the same model with other settings; it is opened for this one question.

        Args:
            sampling: what differs in ``sampling``.
            changes: what differs in the model's settings, but for what a Request has a field for.
        """
        parts = {key: changes.pop(key) for key in list(changes) if key in Request.__struct_fields__}
        spec = self._with_sampling(replace(self.sampling, **(sampling or {})))
        model = self._opened(replace(spec, **changes))
        try:
            return await self._asked(model, _request(text, parts))
        finally:
            await model.close()

    async def close(self) -> None:
        """Close what is open."""
        await self._model.close()

    def cost(self, reply: Reply) -> float | None:
        """Return the US dollars of a reply like this one, None when they cannot be known."""
        identity = self._model.identity
        return pricing(self._model.price, identity.get("model", ""), identity.get("base_url"))(reply)

    def rate_limits(self) -> dict[Unit, RateLimit]:
        """Return what the server told last of its limits, once."""
        return self._model.told.taken()

    @property
    def hourly(self) -> bool:
        """Whether its price is one by the hour, so that a cost is only known afterwards."""
        return self._model.price is not None and self._model.price.per_hour_usd is not None

    def _with_sampling(self, sampling: Sampling) -> Any:
        return replace(self.spec, sampling=sampling) if hasattr(self.spec, "sampling") else self.spec

    def _opened(self, spec: ModelSpec) -> Model:
        return open_model(self.name, spec, self.places)

    async def _asked(self, model: Model, request: Request) -> Reply:
        asked = metered(timed(model), self.meter, self.cost) if model.stored else model
        try:
            return await asked.ask(request)
        except WorldError as fault:
            return Reply(error=Fault(fault.kind, str(fault)))
        except UserError as problem:
            return Reply(error=Fault(SETTINGS, str(problem)))


def _request(text: str, parts: dict[str, Any]) -> Request:
    defaults: dict[str, Any] = {
        "example_id": "doctor",
        "inputs": {},
        "messages": [Message(role="user", content=text)],
    }
    return Request(**{**defaults, **parts})
