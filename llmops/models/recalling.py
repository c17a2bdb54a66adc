"""Looks up the answers of many requests at once, before any is asked."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from llmops.models.budget import BudgetSpent
from llmops.models.model import Model, request_key
from llmops.models.store.store import Store
from llmops.replies import Reply, Request

Recall = Callable[[Sequence[Request]], Awaitable[list[Reply | None]]]


def recalling(model: Model, store: Store | None) -> Recall:
    """Return the function that gives the reply of each request, None for one that has to be asked.

    A model whose answers exist already (``stored=False``) has one for each, and needs no store.
    """
    if not model.stored:
        return partial(_all_looked_up, model)
    assert store is not None  # noqa: S101 - for mypy

    async def recalled(requests: Sequence[Request]) -> list[Reply | None]:
        keys = [request_key(model, request) for request in requests]
        known = store.get_many(keys)
        return [known.get(key) for key in keys]

    return recalled


async def _all_looked_up(model: Model, requests: Sequence[Request]) -> list[Reply | None]:
    return [await _looked_up(model, request) for request in requests]


async def _looked_up(model: Model, request: Request) -> Reply | None:
    try:
        return await model.ask(request)
    except BudgetSpent:  # a recorded one, which is raised again where it is one question's fault
        return None
