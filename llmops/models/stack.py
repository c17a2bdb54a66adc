"""The model stack: the one place where the wrappers are put together."""

from collections.abc import Sequence
from math import inf

from llmops.models.batch_journal import Journal
from llmops.models.batch_ledger import Ledger
from llmops.models.batch_work import BatchWork
from llmops.models.batched import GATHERED_AFTER_S, Gathering, batched
from llmops.models.limited import limited
from llmops.models.meter import Meter
from llmops.models.metered import metered
from llmops.models.model import Model, identity_digest
from llmops.models.retrying import Patience, retrying
from llmops.models.store import Store
from llmops.models.stored import stored
from llmops.models.timed import timed
from llmops.prices import pricing
from llmops.records import Record

BATCHES = "batches"
"""The folder beside the store where it is written what was sent in batches."""


class Limits(Record, frozen=True):
    """How much is asked of one model at once, and how patiently."""

    concurrency: int = 64
    requests_per_min: float | None = None
    attempts: int = 5
    patience_s: float = 600.0


def stacked(model: Model, store: Store, meter: Meter, limits: Limits) -> Model:
    """Return the model in its wrappers; answers that exist already (``stored=False``) need none."""
    return stacks(model, store, [meter], limits)[0]


def stacks(model: Model, store: Store, meters: Sequence[Meter], limits: Limits) -> list[Model]:
    """Return one stack for each meter, all behind the same limits."""
    if not model.stored:
        return [model for _ in meters]
    cost = pricing(model.price, model.identity.get("model", ""), model.identity.get("base_url"))
    if model.batches is not None:
        journal = Journal(store.path.parent / BATCHES, identity_digest(model))
        work = BatchWork(model, model.batches, store, journal, Ledger(model, cost))
        return _in_batches(model, work, store, meters, limits.attempts)
    gate = limited(timed(model), limits.concurrency, limits.requests_per_min)
    patience = Patience(attempts=limits.attempts, total_s=limits.patience_s)
    return [stored(retrying(metered(gate, meter, cost), patience), store, meter) for meter in meters]


def _in_batches(
    model: Model, work: BatchWork, store: Store, meters: Sequence[Meter], attempts: int
) -> list[Model]:
    """Return one stack for each meter, whose requests go out together.

    A batch takes as long as it takes, so attempts are counted and no seconds; what is asked again
    comes soon enough after the fault to go into one batch.
    """
    gathering = Gathering(work)
    patience = Patience(attempts, total_s=inf, longest_wait_s=GATHERED_AFTER_S / 2)
    return [stored(retrying(batched(model, gathering, meter), patience), store, meter) for meter in meters]
