"""The model stack: the one place where the wrappers are put together."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from math import inf

from msgspec.structs import replace

from llmops.models.budget import Allowance
from llmops.models.limits.admission import Rates
from llmops.models.limits.limited import limited
from llmops.models.meter import Meter
from llmops.models.metered import foreseer, metered
from llmops.models.model import Model, identity_digest
from llmops.models.retrying import Patience, retrying
from llmops.models.stoppable import Stop, stoppable
from llmops.models.store.store import Store
from llmops.models.stored import stored
from llmops.models.timed import timed
from llmops.models.vetted import Standing, vetted
from llmops.prices import Cost, pricing, source

BATCHES = "batches"
"""The folder beside the store where it is written what was sent in batches."""


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
    """Return what tells the cost of the model's replies, at prices of ``at`` or of when each was asked.

    Where the model is asked in batches it is the batch price, also of an answer that came directly.
    """
    cost = pricing(model.price, model.identity.get("model", ""), model.identity.get("base_url"), at)
    if (tier := model.tier) is None:
        return cost
    return lambda reply: cost(replace(reply, service_tier=tier))


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
    for budget in {meter.budget for meter in meters}:
        stop.then(budget.end_waits)
    if model.batches is not None:
        asked = _in_batches(model, store, meters, limits, stop)
        return [stored(each, store, meter) for each, meter in zip(asked, meters, strict=True)]
    rates = Rates(limits.requests_per_min, limits.tokens_per_min, limits.adaptive, limits.patience_s)
    gate = limited(stoppable(timed(model), stop), limits.concurrency, rates, sleep=stop.sleep)
    cost, standing = cost_of(model), Standing(lambda: any(meter.hits for meter in meters))
    patience = Patience(attempts=limits.attempts, total_s=limits.patience_s)
    asked = [retrying(metered(gate, meter, cost), patience, sleep=stop.sleep) for meter in meters]
    vouched = [vetted(each, standing) for each in asked]
    return [stored(each, store, m, stop.sleep) for each, m in zip(vouched, meters, strict=True)]


def _in_batches(
    model: Model, store: Store, meters: Sequence[Meter], limits: Limits, stop: Stop
) -> list[Model]:
    """Return the model for each meter, whose requests go out together.

    A batch takes as long as it takes, so attempts are counted and no seconds. What is asked again
    comes soon enough after the fault to go into one batch.
    """
    # a twentieth of the engine's start, which batches alone need
    from llmops.models.batches.batched import GATHERED_AFTER_S, Gathering, batched
    from llmops.models.batches.journal import Journal
    from llmops.models.batches.ledger import Ledger
    from llmops.models.batches.work import BatchWork

    journal = Journal(store.path.parent / BATCHES, identity_digest(model))
    ledger = Ledger(model, cost_of(model), meters[0].budget.allowance)
    work = BatchWork(model, model.batches, store, journal, ledger)  # type: ignore[arg-type]
    gathering = Gathering(work, stop)
    patience = Patience(limits.attempts, total_s=inf, longest_wait_s=GATHERED_AFTER_S / 2)
    return [retrying(batched(model, gathering, meter), patience, sleep=stop.sleep) for meter in meters]
