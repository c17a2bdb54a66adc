"""The model stack: the one place where the wrappers are put together."""

from collections.abc import Sequence

from llmops.models.limited import limited
from llmops.models.meter import Meter
from llmops.models.metered import metered
from llmops.models.model import Model
from llmops.models.retrying import Patience, retrying
from llmops.models.stoppable import Stop, stoppable
from llmops.models.store import Store
from llmops.models.stored import stored
from llmops.models.timed import timed
from llmops.prices import pricing
from llmops.records import Record


class Limits(Record, frozen=True):
    """How much is asked of one model at once, and how patiently."""

    concurrency: int = 64
    requests_per_min: float | None = None
    attempts: int = 5
    patience_s: float = 600.0


def stacked(model: Model, store: Store, meter: Meter, limits: Limits) -> Model:
    """Return the model in its wrappers; answers that exist already (``stored=False``) need none."""
    return stacks(model, store, [meter], limits)[0]


def stacks(
    model: Model, store: Store, meters: Sequence[Meter], limits: Limits, stop: Stop | None = None
) -> list[Model]:
    """Return one stack for each meter, all behind the same limits, until ``stop`` is asked for."""
    if not model.stored:
        return [model for _ in meters]
    stop = stop or Stop()
    gate = limited(
        stoppable(timed(model), stop), limits.concurrency, limits.requests_per_min, sleep=stop.sleep
    )
    cost = pricing(model.price, model.identity.get("model", ""), model.identity.get("base_url"))
    patience = Patience(attempts=limits.attempts, total_s=limits.patience_s)
    return [
        stored(retrying(metered(gate, meter, cost), patience, sleep=stop.sleep), store, meter)
        for meter in meters
    ]
