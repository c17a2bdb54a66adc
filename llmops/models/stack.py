"""The model stack: the one place where the wrappers are put together."""

from collections.abc import Sequence

from llmops.models.admission import Rates
from llmops.models.limited import limited
from llmops.models.meter import Meter
from llmops.models.metered import metered
from llmops.models.model import Model
from llmops.models.retrying import Patience, retrying
from llmops.models.store import Store
from llmops.models.stored import stored
from llmops.models.timed import timed
from llmops.models.vetted import Standing, vetted
from llmops.prices import pricing
from llmops.records import Record


class Limits(Record, frozen=True):
    """How much is asked of one model at once, and how patiently."""

    concurrency: int = 64
    adaptive: bool = True
    requests_per_min: float | None = None
    tokens_per_min: float | None = None
    attempts: int = 5
    patience_s: float = 600.0


def stacked(model: Model, store: Store, meter: Meter, limits: Limits) -> Model:
    """Return the model in its wrappers; answers that exist already (``stored=False``) need none."""
    return stacks(model, store, [meter], limits)[0]


def stacks(model: Model, store: Store, meters: Sequence[Meter], limits: Limits) -> list[Model]:
    """Return one stack for each meter, all behind the same limits."""
    if not model.stored:
        return [model for _ in meters]
    rates = Rates(limits.requests_per_min, limits.tokens_per_min, limits.adaptive, limits.patience_s)
    gate = limited(timed(model), limits.concurrency, rates)
    cost = pricing(model.price, model.identity.get("model", ""), model.identity.get("base_url"))
    patience = Patience(attempts=limits.attempts, total_s=limits.patience_s)
    standing = Standing(lambda: any(meter.hits for meter in meters))
    asked = [retrying(metered(gate, meter, cost), patience) for meter in meters]
    return [stored(vetted(each, standing), store, m) for each, m in zip(asked, meters, strict=True)]
