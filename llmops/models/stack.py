"""The model stack: the one place where the wrappers are put together."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from llmops.models.admission import Rates
from llmops.models.budget import Allowance
from llmops.models.limited import limited
from llmops.models.meter import Meter
from llmops.models.metered import foreseer, metered
from llmops.models.model import Model
from llmops.models.retrying import Patience, retrying
from llmops.models.stoppable import Stop, stoppable
from llmops.models.store import Store
from llmops.models.stored import stored
from llmops.models.timed import timed
from llmops.models.vetted import Standing, vetted
from llmops.prices import Cost, pricing, source


class Limits(Allowance, frozen=True):
    """How much is asked of one model at once, how patiently, and what a run may take in all."""

    concurrency: int = 64
    adaptive: bool = True
    requests_per_min: float | None = None
    tokens_per_min: float | None = None
    attempts: int = 5
    patience_s: float = 600.0


def stacked(model: Model, store: Store, meter: Meter, limits: Limits) -> Model:
    """Return the model in its wrappers; answers that exist already (``stored=False``) need none."""
    return stacks(model, store, [meter], limits)[0]


def cost_of(model: Model, at: datetime | None = None) -> Cost:
    """Return what tells the cost of the model's replies, at prices of ``at`` or of when each was asked."""
    return pricing(model.price, model.identity.get("model", ""), model.identity.get("base_url"), at)


def price_source(model: Model) -> str | None:
    """Return where the model's price stands: params.yaml, the price table with its version, or None."""
    return source(model.price, model.identity.get("model", ""), model.identity.get("base_url"))


def check_budget(models: Iterable[Model], allowance: Allowance) -> None:
    """Find out before anything is asked whether what is limited can be held.

    Raises:
        UserError: an unknown price under a budget in dollars, or an answer without a longest.
    """
    for model in models:
        if model.stored:
            foreseer(model, cost_of(model), allowance)


def stacks(
    model: Model, store: Store, meters: Sequence[Meter], limits: Limits, stop: Stop | None = None
) -> list[Model]:
    """Return one stack for each meter, all behind the same limits, until ``stop`` is asked for."""
    if not model.stored:
        return [model for _ in meters]
    stop = stop or Stop()
    rates = Rates(limits.requests_per_min, limits.tokens_per_min, limits.adaptive, limits.patience_s)
    gate = limited(stoppable(timed(model), stop), limits.concurrency, rates, sleep=stop.sleep)
    cost, standing = cost_of(model), Standing(lambda: any(meter.hits for meter in meters))
    patience = Patience(attempts=limits.attempts, total_s=limits.patience_s)
    asked = [retrying(metered(gate, meter, cost), patience, sleep=stop.sleep) for meter in meters]
    return [stored(vetted(each, standing), store, m) for each, m in zip(asked, meters, strict=True)]
